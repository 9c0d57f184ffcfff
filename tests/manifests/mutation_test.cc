// Valid manifests, spoilt by two thousand random edits: each is loaded, or refused with places that
// are in its files. Anything else would leave the test: an exception of another kind fails it, a
// crash ends it.

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "manifests/keys.h"
#include "manifests/quant_names.h"
#include "tests/base/sanitized.h"
#include "tests/manifests/samples.h"
#include "tests/manifests/support.h"

namespace qbuild::manifests {
namespace {

constexpr std::size_t kEdits = 2000;
constexpr std::string_view kCommon = "licenses: [mit]\nsets:\n  more: [Q6_K, house]\n";

std::vector<std::string> samples() {
  std::ifstream file(QBUILD_SOURCE_DIR "/examples/quickstart/qbuild.yaml");
  std::stringstream text;
  text << file.rdbuf();
  return {std::string(kSmallSample), std::string(kFullSample), text.str()};
}

struct Spoilt {
  std::string text;
  std::string common;
};

void fill(Project& project, const Spoilt& spoilt) {
  for (const char* const name :
       {"/models/bard-llama/config.json", "/models/bard-llama/heldout.txt"})
    project.files().put(name, "x");
  project.put("qbuild.yaml", spoilt.text);
  project.put("common.yaml", spoilt.common);
}

// Words and characters that mean something to YAML or to a manifest, and some that mean harm.
std::vector<std::string> pieces() {
  std::vector<std::string> all{"{",
                               "}",
                               "[",
                               "]",
                               ":",
                               ": ",
                               "- ",
                               "\"",
                               "'",
                               "\n",
                               "\r\n",
                               "\r",
                               "  ",
                               "\t",
                               "*x",
                               "&x ",
                               "~",
                               "null",
                               "7",
                               "-1",
                               "1e400",
                               ".nan",
                               "0x10",
                               "true",
                               "<<: ",
                               "| ",
                               "> ",
                               "# ",
                               "!!str ",
                               "? ",
                               "---\n",
                               "...\n",
                               "%YAML 1.2\n",
                               "{model}",
                               "{{",
                               "}}",
                               "{date}",
                               "{out}",
                               "..",
                               "../",
                               "/",
                               "\\",
                               ",",
                               "@",
                               "`",
                               "\xff",
                               "\xc3",
                               "\xed\xa0\x80",
                               "\u00e9",
                               "\u202e",
                               "\u2028",
                               "\u009b",
                               "\x1b[31m",
                               "\x07",
                               "\x7f",
                               "\xef\xbb\xbf",
                               "\"\\0\"",
                               "\"\\e\"",
                               "99999999999999999999",
                               "Q9_0",
                               "IQ3_XS",
                               "hf_abcdefghijklmnopqrstuvwxyz",
                               "http://u:p@h/"};
  all.push_back(std::string(1, '\0'));
  all.push_back(std::string(300, 'n'));
  all.push_back(std::string(70, '['));
  for (const KeySpec& key : all_keys()) all.push_back(std::string(key.name) + ": ");
  for (const std::string_view recipe : recipe_names()) all.emplace_back(recipe);
  return all;
}

class Editor {
 public:
  explicit Editor(std::uint32_t seed) : random_(seed), samples_(samples()), pieces_(pieces()) {}

  // One of the samples, edited once to three times, and at times what it includes.
  Spoilt next() {
    Spoilt spoilt{pick(samples_), std::string(kCommon)};
    for (std::size_t edits = 1 + below(3); edits > 0; --edits) edit(spoilt.text);
    if (below(4) == 0) edit(spoilt.common);
    return spoilt;
  }

 private:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  void edit(std::string& text) {
    const std::size_t at = below(text.size() + 1);
    switch (below(9)) {
      case 0:
        text.erase(at, 1 + below(20));
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 3:
        text.insert(at, pick(pieces_));
        break;
      case 4:
        text.insert(at, text.substr(below(text.size() + 1), below(80)));
        break;
      case 5: {  // a splice: the beginning of this one, the end of another
        const std::string& other = pick(samples_);
        text = text.substr(0, at) + other.substr(below(other.size() + 1));
        break;
      }
      case 6:
        replace_word(text, at);
        break;
      default:
        edit_line(text);
    }
  }

  void replace_word(std::string& text, std::size_t at) {
    const auto is_letter = [&](std::size_t i) {
      return i < text.size() &&
             (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_');
    };
    while (at < text.size() && !is_letter(at)) ++at;
    std::size_t end = at;
    while (is_letter(end)) ++end;
    text.replace(std::min(at, text.size()), end - at, pick(pieces_));
  }

  void edit_line(std::string& text) {
    std::vector<std::string> lines;
    std::stringstream all(text);
    for (std::string line; std::getline(all, line);) lines.push_back(line);
    if (lines.empty()) return;
    const std::size_t one = below(lines.size());
    const std::size_t two = below(lines.size());
    switch (below(5)) {
      case 0:
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(one));
        break;
      case 1:
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(two), std::string(lines[one]));
        break;
      case 2:
        std::swap(lines[one], lines[two]);
        break;
      case 3:
        lines[one].insert(0, 1 + below(3), below(4) == 0 ? '\t' : ' ');
        break;
      default:
        lines[one].erase(0, 1 + below(3));
    }
    text.clear();
    for (const std::string& line : lines) text += line + "\n";
  }

  std::mt19937 random_;
  std::vector<std::string> samples_;
  std::vector<std::string> pieces_;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

// In the file: behind its last character is the end, where something is missing.
bool is_inside(const Diagnostic& diagnostic, std::string_view text) {
  const std::vector<std::string_view> lines = lines_of(text);
  if (diagnostic.line < 1 || diagnostic.line > lines.size() || diagnostic.column < 1) return false;
  return diagnostic.column <= characters(lines[diagnostic.line - 1]) + 1;
}

// After two hundred: how many more there are.
bool is_count(const Diagnostic& diagnostic) {
  return diagnostic.line == 0 && diagnostic.message.starts_with("and ") &&
         diagnostic.message.ends_with(" more errors");
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

TEST(Mutation, OfAValidManifestIsLoadedOrRefusedWithAPlaceInItsFile) {
  Editor editor(20261125);
  std::size_t loaded = 0;
  double slowest = 0;
  for (std::size_t i = 0; i < kEdits; ++i) {
    const Spoilt spoilt = editor.next();
    Project project;
    fill(project, spoilt);
    SCOPED_TRACE("edit " + std::to_string(i) + "\n" + spoilt.text + "\n--- common.yaml\n" +
                 spoilt.common);
    const double before = cpu_seconds();
    const LoadResult result = project.try_load_files({"qbuild.yaml"});
    slowest = std::max(slowest, cpu_seconds() - before);
    EXPECT_EQ(result.diagnostics.empty(), !result.manifest.models.empty());
    for (const Diagnostic& diagnostic : result.diagnostics) {
      EXPECT_TRUE(diagnostic.file == "qbuild.yaml" || diagnostic.file == "common.yaml");
      const std::string& file = diagnostic.file == "qbuild.yaml" ? spoilt.text : spoilt.common;
      EXPECT_TRUE(is_count(diagnostic) || is_inside(diagnostic, file)) << format(diagnostic);
      EXPECT_FALSE(diagnostic.message.empty());
      EXPECT_TRUE(is_utf8(diagnostic.message) && shows_all(diagnostic.message))
          << format(diagnostic);
    }
    if (result.diagnostics.empty()) ++loaded;
    if (HasFailure()) break;
  }
  // Else the edits are too wild, or too tame, to find anything.
  EXPECT_GT(loaded, kEdits / 20);
  EXPECT_LT(loaded, kEdits / 2);
  if (!test::kIsSanitized) {
    EXPECT_LT(slowest, 2.0);
  }
}

TEST(Mutation, ThatIsRefusedThrowsInvalidInputWithAllPlaces) {
  Editor editor(7);
  const std::vector<fs::path> paths{"/p/qbuild.yaml"};
  std::size_t refused = 0;
  for (std::size_t i = 0; i < kEdits / 4; ++i) {
    Project project;
    fill(project, editor.next());
    try {
      static_cast<void>(load(project.files(), paths));
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
      std::stringstream lines(error.message());
      for (std::string line; std::getline(lines, line);)
        EXPECT_TRUE(line.starts_with("/p/")) << line;
    }
  }
  EXPECT_GT(refused, kEdits / 8);
}

}  // namespace
}  // namespace qbuild::manifests
