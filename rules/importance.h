#pragma once
// An importance matrix laid over the tensors of a source: what the encoders get, what is missing,
// and what a file says of it.

#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf.h"
#include "formats/imatrix.h"
#include "rules/encoding.h"
#include "rules/recipe.h"
#include "rules/weight_source.h"

namespace qbuild::rules {

// Of the tensor's columns, where `type` is encoded by it; none where the matrix does not name the
// tensor, or where nothing came into it. Throws Error kInvalidInput for a number that is none, and
// for an entry of another shape.
[[nodiscard]] ColumnImportance importance_of(const formats::Imatrix& imatrix,
                                             const WeightTensor& tensor, DType type);

// What whoever makes the variant should know: tensors that are encoded without importance, and
// experts that saw nothing. Throws Error kInvalidInput where a tensor that needs importance has
// none, where an entry has another shape than its tensor, and where no entry is of this network.
//   name  of the file, for messages
[[nodiscard]] std::vector<std::string> check_importance(const formats::Imatrix& imatrix,
                                                        std::string_view name,
                                                        const std::vector<WeightTensor>& tensors,
                                                        const std::vector<TypeChoice>& choices);

// Adds the keys that llama.cpp's quantizer writes.
void describe_importance(const formats::Imatrix& imatrix, std::string_view name,
                         formats::GgufMetadata& metadata);

}  // namespace qbuild::rules
