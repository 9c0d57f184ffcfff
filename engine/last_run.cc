#include "engine/last_run.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/json.h"
#include "base/temporary_name.h"

namespace qbuild::engine {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::string_view kOk = "ok";
constexpr std::string_view kFailed = "failed";

void remove_if_possible(FileSystem& files, const fs::path& path) {
  try {
    files.remove(path);
  } catch (const Error&) {
    // The failure that led here is the one to hear of.
  }
}

}  // namespace

std::optional<LastRun> read_last_run(FileSystem& files, const ProjectFiles& project,
                                     std::string_view target) {
  const fs::path path = project.last(target);
  try {
    if (!files.stat(path)) return std::nullopt;
    const Json json = Json::parse(read_file(files, path, kMaxLastRunBytes));
    if (json.at("version").as_int() != kVersion || json.at("target").as_string() != target) {
      return std::nullopt;
    }
    const std::string& outcome = json.at("outcome").as_string();
    const bool failed = outcome == kFailed;
    // A word that is neither is damage; taken for success it would explain something else.
    if ((!failed && outcome != kOk) || failed != (json.find("message") != nullptr))
      return std::nullopt;
    return LastRun{.failed = failed,
                   .key_text = json.at("key_text").as_string(),
                   .message = json.get_string("message")};
  } catch (const Error&) {
    return std::nullopt;
  }
}

void write_last_run(FileSystem& files, const ProjectFiles& project, std::string_view target,
                    const LastRun& last) {
  Json json = Json::object({{"version", kVersion},
                            {"target", target},
                            {"outcome", last.failed ? kFailed : kOk},
                            {"key_text", last.key_text}});
  if (last.failed) json["message"] = last.message;
  const fs::path path = project.last(target);
  // Two engines may explain one target at the same time.
  const fs::path beside = path.parent_path() / temporary_name();
  files.create_directories(path.parent_path());
  try {
    const auto file = files.create(beside, CreateMode::kTruncate);
    file->append(as_bytes(json.dump() + "\n"));
    file->close();
    files.rename(beside, path);
  } catch (const Error&) {
    remove_if_possible(files, beside);
    throw;
  }
}

}  // namespace qbuild::engine
