#include "tests/tidy/documents.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <set>

namespace qbuild::tidy {
namespace {

constexpr std::string_view kTypesFolder = "docs/types/";
constexpr std::string_view kTypesIndex = "docs/types/README.md";

std::string place(const std::string& path, std::size_t line) {
  return fmt::format("{}:{}: ", path, line + 1);
}

// From the folder of `path`, without ".." in it.
std::string beside(const std::string& path, std::string_view relative) {
  const std::filesystem::path joined = std::filesystem::path(folder_of(path)) / relative;
  return joined.lexically_normal().generic_string();
}

// A file of the tree, or a folder that has some.
bool is_there(const SourceTree& tree, const std::string& path) {
  if (tree.contains(path)) return true;
  const std::string folder = path.ends_with('/') ? path : path + "/";
  const auto next = tree.lower_bound(folder);
  return next != tree.end() && next->first.starts_with(folder);
}

bool is_source(const std::string& path) {
  return ends_with_any(path, {".cc", ".h"});
}

std::string_view trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t") + 1 - begin);
}

// The text after the mark of a comment that is a whole line, or nothing.
std::optional<std::string_view> comment_of(std::string_view line, std::string_view mark) {
  line = trimmed(line);
  if (!line.starts_with(mark)) return std::nullopt;
  return line.substr(mark.size());
}

// Every match of the pattern's first group.
std::vector<std::string> matches(std::string_view text, const std::regex& pattern) {
  std::vector<std::string> found;
  const std::string line(text);
  for (std::sregex_iterator at(line.begin(), line.end(), pattern), end; at != end; ++at)
    found.push_back((*at)[1]);
  return found;
}

void check_citations(const SourceTree& tree, const std::string& path, std::string_view mark,
                     Findings* findings) {
  // In quotation marks it is some name that the code deals with.
  static const std::regex kDocument(
      R"((?:^|[^"A-Za-z0-9_./-])([A-Za-z0-9_./-]+\.md)\b(?!\.[a-z]))");
  const std::vector<std::string_view> lines = lines_of(tree.at(path));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto comment = comment_of(lines[i], mark);
    if (!comment || comment->find(".md") == std::string_view::npos) continue;
    for (const std::string& cited : matches(*comment, kDocument)) {
      if (is_there(tree, cited) || is_there(tree, beside(path, cited))) continue;
      findings->push_back(place(path, i) + "cites " + cited + ", which is not there");
    }
  }
}

void check_links(const SourceTree& tree, const std::string& path, Findings* findings) {
  static const std::regex kLink(R"(\]\(([^)#: ]+)(#[^) ]*)?\))");
  const std::vector<std::string_view> lines = lines_of(tree.at(path));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (const std::string& linked : matches(lines[i], kLink)) {
      // What a tree of texts does not hold is of no concern here.
      if (!ends_with_any(linked, {".md", ".cc", ".h"})) continue;
      if (is_there(tree, beside(path, linked))) continue;
      findings->push_back(place(path, i) + "links to " + linked + ", which is not there");
    }
  }
}

std::vector<std::string_view> trimmed_lines(std::string_view text) {
  std::vector<std::string_view> lines = lines_of(text);
  std::transform(lines.begin(), lines.end(), lines.begin(), trimmed);
  return lines;
}

struct Quote {
  std::size_t line = 0;
  std::string from;
  std::vector<std::string_view> code;
};

std::vector<Quote> quotes_of_markdown(std::string_view text) {
  static const std::regex kMark("^<!-- quoted from (\\S+) -->$");
  const std::vector<std::string_view> lines = trimmed_lines(text);
  std::vector<Quote> quotes;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto from = matches(lines[i], kMark);
    if (from.empty()) continue;
    Quote quote{i, from[0], {}};
    if (i + 1 < lines.size() && lines[i + 1].starts_with("```")) {
      for (std::size_t j = i + 2; j < lines.size() && lines[j] != "```"; ++j)
        quote.code.push_back(lines[j]);
    }
    quotes.push_back(std::move(quote));
  }
  return quotes;
}

std::vector<Quote> quotes_of_source(std::string_view text) {
  static const std::regex kMark("^ Quoted from (\\S+):$");
  const std::vector<std::string_view> lines = lines_of(text);
  std::vector<Quote> quotes;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto from = matches(comment_of(lines[i], "//").value_or(""), kMark);
    if (from.empty()) continue;
    Quote quote{i, from[0], {}};
    for (std::size_t j = i + 1; j < lines.size(); ++j) {
      const auto comment = comment_of(lines[j], "//");
      if (!comment || (!comment->empty() && !comment->starts_with("   "))) break;
      quote.code.push_back(trimmed(*comment));
    }
    // The empty lines around it are the comment's.
    while (!quote.code.empty() && quote.code.back().empty()) quote.code.pop_back();
    if (!quote.code.empty() && quote.code.front().empty()) quote.code.erase(quote.code.begin());
    quotes.push_back(std::move(quote));
  }
  return quotes;
}

std::string bits_per_weight(const TypeFacts& type) {
  return fmt::format("{:g}", 8.0 * type.block_bytes / type.block_values);
}

// Where a type has its heading.
struct Heading {
  std::string path;
  std::size_t line = 0;
  std::string first_text;  // the first line after it that is not empty
};

// By the text of "## TEXT", in all pages of the types but the index.
std::multimap<std::string, Heading> headings(const SourceTree& tree) {
  std::multimap<std::string, Heading> found;
  for (const auto& [path, text] : tree) {
    if (!path.starts_with(kTypesFolder) || path == kTypesIndex) continue;
    const std::vector<std::string_view> lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (!lines[i].starts_with("## ")) continue;
      const auto next =
          std::find_if(lines.begin() + static_cast<std::ptrdiff_t>(i) + 1, lines.end(),
                       [](std::string_view line) { return !trimmed(line).empty(); });
      found.emplace(lines[i].substr(3),
                    Heading{path, i, std::string(next == lines.end() ? "" : *next)});
    }
  }
  return found;
}

// "IQ2_XXS", "F16": what names of types look like.
bool is_like_a_type(const std::string& text) {
  static const std::regex kName("(I?Q|TQ|F|BF|MXFP|NVFP)[0-9]+(_[A-Z0-9]+)*");
  return std::regex_match(text, kName);
}

void check_heading(const TypeFacts& type, const std::multimap<std::string, Heading>& all,
                   Findings* findings) {
  const auto [begin, end] = all.equal_range(type.name);
  const auto count = std::distance(begin, end);
  if (count != 1) {
    findings->push_back(
        fmt::format("{}: {} headings \"## {}\" instead of one", kTypesFolder, count, type.name));
    return;
  }
  const std::string expected =
      fmt::format("{} value{} in {} bytes: {} bits per weight.", type.block_values,
                  type.block_values == 1 ? "" : "s", type.block_bytes, bits_per_weight(type));
  const Heading& heading = begin->second;
  if (heading.first_text != expected)
    findings->push_back(place(heading.path, heading.line) + "\"" + heading.first_text +
                        "\" instead of \"" + expected + "\"");
}

void check_row(const TypeFacts& type, const std::vector<std::string_view>& lines,
               const std::multimap<std::string, Heading>& all, Findings* findings) {
  std::string anchor = type.name;
  std::transform(anchor.begin(), anchor.end(), anchor.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto heading = all.find(type.name);
  const std::string page = heading == all.end() ? "" : file_name_of(heading->second.path);
  const std::string expected = fmt::format("| {} | {} | {} | {} | ", type.name, type.block_values,
                                           type.block_bytes, bits_per_weight(type));
  const std::string link = fmt::format("]({}#{}) |", page, anchor);
  const auto count = std::count_if(lines.begin(), lines.end(), [&](std::string_view line) {
    return line.starts_with(expected) && line.find(link) != std::string_view::npos;
  });
  if (count != 1)
    findings->push_back(
        fmt::format("{}: {} rows \"{}...{}\" instead of one", kTypesIndex, count, expected, link));
}

}  // namespace

Findings find_missing_documents(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, text] : tree) {
    const std::string name = file_name_of(path);
    if (is_source(path)) check_citations(tree, path, "//", &findings);
    if (ends_with_any(path, {".py", ".sh", ".cmake"}) || name == "CMakeLists.txt" || name == "dev")
      check_citations(tree, path, "#", &findings);
    if (path.ends_with(".md")) check_links(tree, path, &findings);
  }
  return findings;
}

Findings find_stale_quotes(const SourceTree& tree) {
  Findings findings;
  for (const auto& [path, text] : tree) {
    const bool is_markdown = path.ends_with(".md");
    if (!is_markdown && !is_source(path)) continue;
    for (const Quote& quote : is_markdown ? quotes_of_markdown(text) : quotes_of_source(text)) {
      const auto file = tree.find(quote.from);
      if (file == tree.end()) {
        findings.push_back(place(path, quote.line) + quote.from + " is not there");
        continue;
      }
      const std::vector<std::string_view> lines = trimmed_lines(file->second);
      const auto at = std::search(lines.begin(), lines.end(), quote.code.begin(), quote.code.end());
      if (quote.code.empty() || at == lines.end())
        findings.push_back(place(path, quote.line) + "what is quoted is not in " + quote.from);
    }
  }
  return findings;
}

Findings find_wrong_type_pages(const SourceTree& tree, const std::vector<TypeFacts>& types) {
  Findings findings;
  const auto all = headings(tree);
  const auto index = tree.find(std::string(kTypesIndex));
  const std::vector<std::string_view> rows =
      lines_of(index == tree.end() ? std::string_view() : std::string_view(index->second));
  std::set<std::string> names;
  for (const TypeFacts& type : types) {
    names.insert(type.name);
    check_heading(type, all, &findings);
    check_row(type, rows, all, &findings);
  }
  for (const auto& [name, heading] : all) {
    if (is_like_a_type(name) && !names.contains(name))
      findings.push_back(place(heading.path, heading.line) + "there is no type " + name);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    static const std::regex kRow(R"(^\| (\S+) \|)");
    for (const std::string& name : matches(rows[i], kRow)) {
      if (is_like_a_type(name) && !names.contains(name))
        findings.push_back(place(index->first, i) + "there is no type " + name);
    }
  }
  return findings;
}

}  // namespace qbuild::tidy
