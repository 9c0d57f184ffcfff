// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): what pcre2.h asks for
#define PCRE2_CODE_UNIT_WIDTH 8

#include "models/pretokenizer.h"

#include <fmt/core.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/shown.h"
#include "formats/splitters.h"

namespace qbuild::models {
namespace {

// Steps of one match of a known pattern: far above what words need.
constexpr std::uint32_t kMatchLimit = 50'000'000;
// A pattern that is not known may take few steps within a few bytes wherever it is tried. What it
// takes beyond that is paid for with steps times bytes, since one step may look at all of them: as
// much as suffices for words of any length.
constexpr std::uint64_t kFewSteps = 64;
constexpr std::uint64_t kFewBytes = 64;
constexpr std::uint64_t kMore = 16;  // times, when few do not suffice
constexpr std::uint64_t kEffortInAll = 50'000'000;
constexpr std::uint64_t kEffortPerByte = 4096;
constexpr std::uint32_t kHeapKib = 64 * 1024;

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

[[noreturn]] void give_up(std::size_t at, const std::string& why) {
  throw Error(
      ErrorKind::kExhausted,
      fmt::format("the pre-tokenizer's pattern gave up at byte {} of a piece: {}", at, why));
}

// At the end of a character.
std::size_t window_end(std::string_view piece, std::size_t from, std::uint64_t bytes) {
  if (bytes >= piece.size() - from) return piece.size();
  std::size_t end = from + static_cast<std::size_t>(bytes);
  while (end < piece.size() && (static_cast<unsigned char>(piece[end]) & 0xc0u) == 0x80u) ++end;
  return end;
}

// One pattern, and what a search with it needs. One thread.
class Search {
 public:
  Search(const pcre2_code* code, SplitEffort& effort)
      : code_(code),
        effort_(effort),
        data_(pcre2_match_data_create_from_pattern(code, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    pcre2_set_heap_limit(context_.get(), kHeapKib);
  }

  // Cuts a piece into matches and what lies between.
  void split(std::string_view piece, bool is_known, std::vector<std::string_view>& out) {
    std::size_t from = 0;
    while (from < piece.size() && (is_known ? find(piece, from) : find_warily(piece, from))) {
      const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(data_.get());
      // \K may put the beginning of a match anywhere.
      if (bounds[0] < from || bounds[1] <= bounds[0])
        throw Error(ErrorKind::kUnsupported,
                    "the pre-tokenizer's pattern has matches that overlap; \\K is not supported");
      if (bounds[0] > from) out.push_back(piece.substr(from, bounds[0] - from));
      out.push_back(piece.substr(bounds[0], bounds[1] - bounds[0]));
      from = bounds[1];
    }
    if (from < piece.size()) out.push_back(piece.substr(from));
  }

 private:
  int match(std::string_view piece, std::size_t from, std::uint32_t options,
            std::uint64_t max_steps) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    pcre2_set_match_limit(context_.get(), static_cast<std::uint32_t>(std::min(max_steps, kMost)));
    return pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(piece.data()), piece.size(), from,
                       options | PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, data_.get(), context_.get());
  }

  bool find(std::string_view piece, std::size_t from) {
    const int count = match(piece, from, 0, kMatchLimit);
    if (count == PCRE2_ERROR_NOMATCH) return false;
    if (count < 0) give_up(from, message_of(count));
    return true;
  }

  // The library limits the steps of a match at one place of the text, and not how far one step
  // looks ahead. What many places take in all is counted here, so each place is a match of its own.
  bool find_warily(std::string_view piece, std::size_t from) {
    for (std::size_t at = from; at < piece.size(); ++at) {
      const bool within_character = (static_cast<unsigned char>(piece[at]) & 0xc0u) == 0x80u;
      if (!within_character && matches_at(piece, at)) return true;
    }
    return false;
  }

  bool matches_at(std::string_view piece, std::size_t at) {
    std::uint64_t steps = kFewSteps;
    std::uint64_t bytes = kFewBytes;
    while (true) {
      const std::size_t end = window_end(piece, at, bytes);
      // A match that comes to the end of a window that is not the end of the piece is not decided.
      const std::uint32_t options = end < piece.size() ? PCRE2_PARTIAL_HARD : 0;
      const int count = match(piece.substr(0, end), at, options | PCRE2_ANCHORED, steps);
      if (count >= 0) return true;
      if (count == PCRE2_ERROR_NOMATCH) return false;
      if (count != PCRE2_ERROR_PARTIAL && count != PCRE2_ERROR_MATCHLIMIT)
        give_up(at, message_of(count));
      (count == PCRE2_ERROR_PARTIAL ? bytes : steps) *= kMore;
      if (!effort_.spend(steps * std::max<std::uint64_t>(steps, std::min(bytes, piece.size()))))
        give_up(at, "it takes too many steps");
    }
  }

  const pcre2_code* code_;
  SplitEffort& effort_;
  std::unique_ptr<pcre2_match_data, FreeMatchData> data_;
  std::unique_ptr<pcre2_match_context, FreeContext> context_;
};

}  // namespace

SplitEffort::SplitEffort(std::size_t text_bytes)
    : left_(kEffortInAll + kEffortPerByte * text_bytes) {}

bool SplitEffort::spend(std::uint64_t effort) {
  if (effort > left_) return false;
  left_ -= effort;
  return true;
}

struct Pretokenizer::State {
  struct Pattern {
    std::unique_ptr<pcre2_code, FreeCode> code;
    bool is_known = false;
  };
  std::vector<Pattern> patterns;
};

Pretokenizer::Pretokenizer(const std::vector<std::string>& patterns)
    : state_(std::make_unique<State>()) {
  for (const std::string& pattern : patterns) {
    int code = 0;
    PCRE2_SIZE at = 0;
    std::unique_ptr<pcre2_code, FreeCode> compiled(
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                      PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at, nullptr));
    if (compiled == nullptr)
      throw Error(ErrorKind::kInvalidInput,
                  fmt::format("the pre-tokenizer's pattern {} is wrong at character {}: {}",
                              shown(pattern), at, message_of(code)));
    const bool is_known = formats::is_known_pattern(pattern);
    // Compiled further, a match counts no steps while it repeats a character. Without a
    // just-in-time compiler the interpreter finds the same matches.
    if (is_known) (void)pcre2_jit_compile(compiled.get(), PCRE2_JIT_COMPLETE);
    state_->patterns.push_back({std::move(compiled), is_known});
  }
}

Pretokenizer::~Pretokenizer() = default;
Pretokenizer::Pretokenizer(Pretokenizer&&) noexcept = default;
Pretokenizer& Pretokenizer::operator=(Pretokenizer&&) noexcept = default;

std::vector<std::string_view> Pretokenizer::split(std::string_view text) const {
  SplitEffort effort(text.size());
  return split(text, effort);
}

std::vector<std::string_view> Pretokenizer::split(std::string_view part,
                                                  SplitEffort& effort) const {
  std::vector<std::string_view> pieces{part};
  for (const State::Pattern& pattern : state_->patterns) {
    Search search(pattern.code.get(), effort);
    std::vector<std::string_view> next;
    for (const std::string_view piece : pieces) search.split(piece, pattern.is_known, next);
    pieces = std::move(next);
  }
  return pieces;
}

}  // namespace qbuild::models
