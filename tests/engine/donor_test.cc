#include "engine/donor.h"

#include <gmock/gmock.h>

#include "base/fake_file_system.h"
#include "cache/record.h"
#include "engine/rule.h"

namespace qbuild::engine {
namespace {

using testing::IsEmpty;

cache::Record record_of(const std::string& key_text, std::size_t pieces) {
  cache::Record record;
  record.key_text = key_text;
  record.key = sha256(key_text);
  record.rule = "make";
  record.artifact.files = {{.name = "out", .sha256 = sha256(key_text), .size_bytes = pieces}};
  record.piece_scope = "0f";
  for (std::size_t i = 0; i < pieces; ++i)
    record.pieces["out"].push_back({.key = xxh3_hex(as_bytes(key_text)),
                                    .offset = i,
                                    .size_bytes = 1,
                                    .checksum = xxh3_hex({})});
  return record;
}

class LoadDonors : public testing::Test {
 protected:
  Donor put(const std::string& key_text, std::size_t pieces) {
    disk_.put("/records/" + key_text, cache::serialize(record_of(key_text, pieces)));
    return {.record = "/records/" + key_text, .files = {{"out", "/blobs/" + key_text}}};
  }
  std::vector<fs::path> load(std::vector<Donor> donors) {
    ActionRequest request;
    request.donors = std::move(donors);
    std::vector<fs::path> paths;
    for (const DonorFile& file : load_donors(disk_, request)) paths.push_back(file.path);
    return paths;
  }

  FakeFileSystem disk_;
};

TEST_F(LoadDonors, GivesEachFileItsPiecesInTheRequestsOrder) {
  ActionRequest request;
  request.donors = {put("b", 2), put("a", 1)};
  const std::vector<DonorFile> files = load_donors(disk_, request);
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].path, "/blobs/b");
  EXPECT_EQ(files[0].pieces, record_of("b", 2).pieces.at("out"));
  EXPECT_EQ(files[1].path, "/blobs/a");
}

TEST_F(LoadDonors, PassesOverWhatHasGoneOrIsDamaged) {
  Donor gone = put("gone", 1);
  disk_.remove(gone.record);
  Donor damaged = put("damaged", 1);
  disk_.put(damaged.record.string(), "qbuild-record 1 nonsense\n");
  Donor other_name = put("other", 1);
  other_name.files = {{"model.gguf", "/blobs/x"}};
  EXPECT_EQ(load({gone, damaged, other_name, put("good", 1)}),
            std::vector<fs::path>{"/blobs/good"});
  EXPECT_THAT(load({gone}), IsEmpty());
  EXPECT_THAT(load({}), IsEmpty());
}

TEST_F(LoadDonors, EndsWhereTheyWouldTakeTooMuchMemory) {
  const std::vector<Donor> donors(10, put("big", 90'000));
  EXPECT_EQ(load(donors).size(), kMaxDonorPieces / 90'000);
}

}  // namespace
}  // namespace qbuild::engine
