#pragma once
// The parts of the table of keys, for keys.cc; each adds its rows.

#include <vector>

#include "manifests/keys.h"

namespace qbuild::manifests {

inline constexpr Variables kInModel = kModelName | kMatrixVariables;
inline constexpr Variables kInRepository = kInModel | kSourceName;
inline constexpr Variables kInCommand = kInModel | kSourceName | kVariantName;

// key_table.cc: the file, its models, where they are published.
void add_top_keys(std::vector<KeySpec>& keys);
void add_model_keys(std::vector<KeySpec>& keys);
void add_model_part_keys(std::vector<KeySpec>& keys);
void add_publish_keys(std::vector<KeySpec>& keys);
// key_table_quants.cc: what is made of a model and measured of it.
void add_quant_keys(std::vector<KeySpec>& keys);
void add_command_keys(std::vector<KeySpec>& keys);
void add_quant_part_keys(std::vector<KeySpec>& keys);
void add_benchmark_keys(std::vector<KeySpec>& keys);
void add_throughput_keys(std::vector<KeySpec>& keys);
void add_gate_keys(std::vector<KeySpec>& keys);

}  // namespace qbuild::manifests
