#include "rules/tensor_role.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace qbuild::rules {
namespace {

constexpr std::string_view kGlm5Next = "glm5-next";

enum class Match : std::uint8_t { kWhole, kPart };

// A part of a name and what follows from it; where an architecture is given, only there.
struct RolePattern {
  std::string_view text;
  Match match;
  TensorRole role;
  std::string_view architecture = {};
};

// The first that fits wins. A part is looked for anywhere: "ffn_down" finds ffn_down_exps and
// ffn_down_shexp.
constexpr std::array kRoles{
    RolePattern{"output.weight", Match::kWhole, TensorRole::kOutput},
    RolePattern{"token_embd.weight", Match::kWhole, TensorRole::kEmbedding},
    RolePattern{"per_layer_token_embd.weight", Match::kWhole, TensorRole::kEmbedding},
    RolePattern{"attn_q_a", Match::kPart, TensorRole::kDelicate, kGlm5Next},
    RolePattern{"attn_q_b", Match::kPart, TensorRole::kDelicate, kGlm5Next},
    RolePattern{"nextn.eh_proj", Match::kPart, TensorRole::kDelicate, kGlm5Next},
    RolePattern{"attn_qkv.weight", Match::kPart, TensorRole::kAttnV},
    RolePattern{"attn_kv_b.weight", Match::kPart, TensorRole::kAttnV},
    RolePattern{"attn_v.weight", Match::kPart, TensorRole::kAttnV},
    RolePattern{"attn_k.weight", Match::kPart, TensorRole::kAttnK},
    RolePattern{"attn_q.weight", Match::kPart, TensorRole::kAttnQ},
    RolePattern{"attn_output.weight", Match::kPart, TensorRole::kAttnOutput},
    RolePattern{"ffn_up", Match::kPart, TensorRole::kFfnUp},
    RolePattern{"ffn_gate", Match::kPart, TensorRole::kFfnGate},
    RolePattern{"ffn_down", Match::kPart, TensorRole::kFfnDown},
};

struct ExactPattern {
  std::string_view text;
  Match match = Match::kPart;
};

// Names that leave a tensor as it is. Routers and norms decide much and weigh little; the others
// are too small to be worth the loss.
constexpr std::array kExact{
    ExactPattern{"_norm.weight"},
    ExactPattern{"ffn_gate_inp.weight"},
    ExactPattern{"ffn_gate_tid2eid.weight"},  // a table of expert ids
    ExactPattern{"altup"},
    ExactPattern{"laurel"},
    ExactPattern{"per_layer_model_proj"},
    ExactPattern{"position_embd.weight", Match::kWhole},
    ExactPattern{"token_types.weight", Match::kWhole},
    ExactPattern{"ssm_conv1d"},
    ExactPattern{"shortconv.conv.weight"},
    ExactPattern{"indexer.k_proj.weight"},
    ExactPattern{"indexer.q_proj.weight"},
    ExactPattern{"time_mix_first.weight"},  // this one and the next: RWKV
    ExactPattern{"time_mix_w0.weight"},
    ExactPattern{"time_mix_w1.weight"},
    ExactPattern{"time_mix_w2.weight"},
    ExactPattern{"time_mix_v0.weight"},
    ExactPattern{"time_mix_v1.weight"},
    ExactPattern{"time_mix_v2.weight"},
    ExactPattern{"time_mix_a0.weight"},
    ExactPattern{"time_mix_a1.weight"},
    ExactPattern{"time_mix_a2.weight"},
    ExactPattern{"time_mix_g1.weight"},
    ExactPattern{"time_mix_g2.weight"},
    ExactPattern{"time_mix_decay_w1.weight"},
    ExactPattern{"time_mix_decay_w2.weight"},
    ExactPattern{"time_mix_lerp_fused.weight"},
    ExactPattern{"attn_rel_b.weight"},  // T5
    ExactPattern{".position_embd"},     // this one and the next: encoders of images and sound
    ExactPattern{"sam.pos_embd"},
    ExactPattern{"sam.neck."},
    ExactPattern{"sam.net_"},
    ExactPattern{".rel_pos"},
    ExactPattern{".patch_embd"},
    ExactPattern{".patch_merger"},
    ExactPattern{"a.rvq.codebook"},
    ExactPattern{"mm.a.code_embd"},
};

// The same, for the architecture glm5-next alone.
constexpr std::array kExactInGlm5Next{
    ExactPattern{"hc_"},
    ExactPattern{"indexer.attn_q_b"},
    ExactPattern{"indexer.attn_k"},
    ExactPattern{"indexer.proj"},
    ExactPattern{"indexer_compressor_gate"},
    ExactPattern{"indexer_compressor_ape"},
    ExactPattern{"ssm_f_a.weight"},
    ExactPattern{"ssm_f_b.weight"},
    ExactPattern{"ssm_g_a.weight"},
    ExactPattern{"ssm_g_b.weight"},
    ExactPattern{"ssm_beta.weight"},
    ExactPattern{"attn_kv_a_mqa.weight"},
    ExactPattern{"attn_k_b.weight"},
    ExactPattern{"attn_v_b.weight"},
};

bool fits(std::string_view name, std::string_view text, Match match) {
  return match == Match::kWhole ? name == text : name.find(text) != std::string_view::npos;
}

bool is_among(std::string_view name, std::span<const ExactPattern> patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const ExactPattern& pattern) {
    return fits(name, pattern.text, pattern.match);
  });
}

}  // namespace

TensorRole role_of(std::string_view name, std::string_view architecture, bool has_output) {
  const auto* const found =
      std::find_if(kRoles.begin(), kRoles.end(), [&](const RolePattern& pattern) {
        return (pattern.architecture.empty() || pattern.architecture == architecture) &&
               fits(name, pattern.text, pattern.match);
      });
  if (found == kRoles.end()) return TensorRole::kOther;
  if (found->role == TensorRole::kEmbedding && !has_output) return TensorRole::kOutput;
  return found->role;
}

std::optional<std::uint32_t> block_of(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::uint32_t block = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, block);
  if (parsed.ec != std::errc{} || parsed.ptr == end || *parsed.ptr != '.') return std::nullopt;
  return block;
}

bool is_quantizable(const TensorSpec& tensor, std::string_view architecture) {
  if (!tensor.name.ends_with("weight") || tensor.shape.empty()) return false;
  const bool is_matrix =
      std::any_of(tensor.shape.begin() + 1, tensor.shape.end(), [](auto n) { return n > 1; });
  if (!is_matrix || is_among(tensor.name, kExact)) return false;
  return architecture != kGlm5Next || !is_among(tensor.name, kExactInGlm5Next);
}

bool file_order(std::string_view a, std::string_view b) {
  const auto block_a = block_of(a);
  const auto block_b = block_of(b);
  if (block_a != block_b) return block_a < block_b;
  return a < b;
}

}  // namespace qbuild::rules
