// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): what pcre2.h asks for
#define PCRE2_CODE_UNIT_WIDTH 8

#include "models/pretokenizer.h"

#include <fmt/core.h>
#include <pcre2.h>

#include <array>

#include "base/error.h"

namespace qbuild::models {
namespace {

// Steps of one match: far above what words need, far below what a hostile pattern could take.
constexpr std::uint32_t kMatchLimit = 50'000'000;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct Pretokenizer::State {
  std::vector<std::unique_ptr<pcre2_code, FreeCode>> codes;

  static void split_one(const pcre2_code* code, std::string_view piece, pcre2_match_data* data,
                        pcre2_match_context* context, std::vector<std::string_view>& out) {
    const auto* const subject = reinterpret_cast<PCRE2_SPTR>(piece.data());
    std::size_t from = 0;
    while (from < piece.size()) {
      const int count = pcre2_match(code, subject, piece.size(), from,
                                    PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, data, context);
      if (count == PCRE2_ERROR_NOMATCH) break;
      if (count < 0)
        throw Error(ErrorKind::kExhausted,
                    fmt::format("the pre-tokenizer's pattern gave up at byte {} of a piece: {}",
                                from, message_of(count)));
      const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(data);
      if (bounds[0] > from) out.push_back(piece.substr(from, bounds[0] - from));
      out.push_back(piece.substr(bounds[0], bounds[1] - bounds[0]));
      from = bounds[1];
    }
    if (from < piece.size()) out.push_back(piece.substr(from));
  }
};

Pretokenizer::Pretokenizer(const std::vector<std::string>& patterns)
    : state_(std::make_unique<State>()) {
  for (const std::string& pattern : patterns) {
    int code = 0;
    PCRE2_SIZE at = 0;
    std::unique_ptr<pcre2_code, FreeCode> compiled(
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                      PCRE2_UTF | PCRE2_UCP, &code, &at, nullptr));
    if (compiled == nullptr)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("the pre-tokenizer's pattern {} is wrong at character {}: {}",
                              pattern, at, message_of(code)));
    // Without a just-in-time compiler the interpreter finds the same matches.
    (void)pcre2_jit_compile(compiled.get(), PCRE2_JIT_COMPLETE);
    state_->codes.push_back(std::move(compiled));
  }
}

Pretokenizer::~Pretokenizer() = default;
Pretokenizer::Pretokenizer(Pretokenizer&&) noexcept = default;
Pretokenizer& Pretokenizer::operator=(Pretokenizer&&) noexcept = default;

std::vector<std::string_view> Pretokenizer::split(std::string_view text) const {
  std::vector<std::string_view> pieces{text};
  const std::unique_ptr<pcre2_match_context, FreeContext> context(
      pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(context.get(), kMatchLimit);
  for (const auto& code : state_->codes) {
    const std::unique_ptr<pcre2_match_data, FreeMatchData> data(
        pcre2_match_data_create_from_pattern(code.get(), nullptr));
    std::vector<std::string_view> next;
    for (const std::string_view piece : pieces)
      State::split_one(code.get(), piece, data.get(), context.get(), next);
    pieces = std::move(next);
  }
  return pieces;
}

}  // namespace qbuild::models
