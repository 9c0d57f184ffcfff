#include "tests/engine/piece_rule.h"

#include <optional>

#include "base/error.h"
#include "engine/partial.h"

namespace qbuild::engine::testing {
namespace {

// The bytes of the piece with that name and size in one of these files.
std::optional<std::string> find(FileSystem& files, const std::vector<DonorFile>& donors,
                                const std::string& key, std::uint64_t size_bytes) {
  for (const DonorFile& donor : donors) {
    for (const cache::Piece& piece : donor.pieces) {
      if (piece.key != key || piece.size_bytes != size_bytes) continue;
      std::string bytes;
      try {
        const auto file = files.open(donor.path);
        if (cache::read_piece(*file, piece, [&](Bytes some) { bytes += as_text(some); }))
          return bytes;
      } catch (const Error&) {
        continue;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::string piece_key(const std::string& text) {
  return xxh3_hex(as_bytes("key of " + text));
}

ActionResult make_of_pieces(const ActionRequest& request, ActionContext& context,
                            const std::function<void(std::size_t done)>& before_each) {
  FileSystem& files = context.file_system();
  PartialPieces partial(files, request.scratch, "out");
  const std::vector<DonorFile> donors = load_donors(files, request);
  const auto out = files.create(partial.path(), CreateMode::kExclusive);
  std::vector<cache::Piece> pieces;
  std::string content;
  int computed = 0;
  for (const Json& json : request.params.at("pieces").as_array()) {
    before_each(pieces.size());
    const std::string& text = json.as_string();
    std::optional<std::string> bytes = find(files, partial.earlier(), piece_key(text), text.size());
    if (!bytes) bytes = find(files, donors, piece_key(text), text.size());
    if (!bytes) ++computed;
    pieces.push_back({.key = piece_key(text),
                      .offset = content.size(),
                      .size_bytes = text.size(),
                      .checksum = xxh3_hex(as_bytes(text))});
    out->append(as_bytes(bytes.value_or(text)));
    content += bytes.value_or(text);
    partial.note(pieces.back());
  }
  before_each(pieces.size());
  out->close();
  ActionResult result;
  result.files.push_back({.name = "out",
                          .path = partial.path(),
                          .sha256 = sha256(content),
                          .size_bytes = content.size()});
  result.inline_files["computed"] = std::to_string(computed);
  result.inline_files["copied"] = std::to_string(static_cast<int>(pieces.size()) - computed);
  result.pieces["out"] = std::move(pieces);
  return result;
}

Json piece_texts(const std::vector<std::string>& texts) {
  Json json = Json::array();
  for (const std::string& text : texts) json.push_back(Json(text));
  return json;
}

}  // namespace qbuild::engine::testing
