#include "engine/node.h"

#include <fmt/core.h>

#include "base/error.h"

namespace qbuild::engine {

std::string_view status_name(Status status) {
  switch (status) {
    case Status::kReady:
      return "ready";
    case Status::kHeld:
      return "held";
    case Status::kFailed:
      return "failed";
    case Status::kSkipped:
      return "skipped";
  }
  return "skipped";
}

std::optional<Status> status_from_name(std::string_view name) {
  for (const Status status : {Status::kReady, Status::kHeld, Status::kFailed, Status::kSkipped}) {
    if (status_name(status) == name) return status;
  }
  return std::nullopt;
}

std::vector<Export> resolved_exports(const Node& node, const cache::Artifact& artifact) {
  std::vector<Export> exports;
  for (const Export& wanted : node.exports) {
    if (wanted.name == kAllFiles) {
      for (const cache::FileEntry& file : artifact.files)
        exports.push_back({file.name, wanted.path / file.name});
    } else if (wanted.name == kOnlyFile) {
      if (artifact.files.size() != 1)
        throw Error(ErrorKind::kInvalidInput,
                    fmt::format("it made {} files where {} needs one", artifact.files.size(),
                                wanted.path.string()));
      exports.push_back({artifact.files[0].name, wanted.path});
    } else {
      if (artifact.find(wanted.name) == nullptr)
        throw Error(ErrorKind::kInvalidInput,
                    fmt::format("it made no {} for {}", wanted.name, wanted.path.string()));
      exports.push_back(wanted);
    }
  }
  return exports;
}

}  // namespace qbuild::engine
