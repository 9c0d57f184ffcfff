#include "rules/tensor_pieces.h"

#include <gmock/gmock.h>

#include <set>

#include "base/digest.h"
#include "tests/rules/support.h"

namespace qbuild::rules {
namespace {

WeightTensor tensor() {
  return {.name = "blk.0.attn_q.weight",
          .stored_name = "a",
          .shape = {256, 4},
          .stored = DType::kF16,
          .size_bytes = 2048};
}

TEST(PieceKey, IsOfAllThatTheBytesDependOn) {
  const Encoding encoding{.type = DType::kQ4_K};
  std::set<std::string> keys{piece_key(tensor(), "aa", encoding)};
  keys.insert(piece_key(tensor(), "ab", encoding));
  keys.insert(piece_key(tensor(), "aa", {.type = DType::kQ6_K}));
  keys.insert(piece_key(tensor(), "aa", {.type = DType::kQ4_K, .effort = kernels::Effort::kBest}));
  keys.insert(piece_key(tensor(), "aa", {.type = DType::kQ4_K, .is_scaled = true}));
  keys.insert(scale_piece_key(tensor(), "aa"));
  WeightTensor other = tensor();
  other.stored = DType::kBF16;
  keys.insert(piece_key(other, "aa", encoding));
  other = tensor();
  other.shape = {512, 2};
  keys.insert(piece_key(other, "aa", encoding));
  other = tensor();
  other.permuted_head_dim = 2;
  keys.insert(piece_key(other, "aa", encoding));
  other = tensor();
  other.is_opaque = true;
  keys.insert(piece_key(other, "aa", encoding));
  keys.insert(scale_piece_key(other, "aa"));
  EXPECT_EQ(keys.size(), 10u);  // an opaque tensor is not divided
}

TEST(PieceKey, IsNotOfNames) {
  const Encoding encoding{.type = DType::kQ4_K};
  WeightTensor other = tensor();
  other.name = "blk.1.attn_q.weight";
  other.stored_name = "b";
  EXPECT_EQ(piece_key(other, "aa", encoding), piece_key(tensor(), "aa", encoding));
}

TEST(PieceScope, IsOfNamesAndShapes) {
  const std::string scope = piece_scope({tensor()});
  EXPECT_TRUE(cache::is_piece_scope(scope));
  WeightTensor other = tensor();
  other.stored_name = "b";
  EXPECT_EQ(piece_scope({other}), scope);
  other.shape = {256, 5};
  EXPECT_NE(piece_scope({other}), scope);
}

class FoundTensorsTest : public testing::Test {
 protected:
  // A file with the piece "payload" at byte 4.
  engine::DonorFile donor(const std::string& name, std::string_view bytes = "headpayload") {
    write_text(folder_.path() / name, std::string(bytes));
    return {.path = folder_.path() / name,
            .pieces = {{.key = "k", .offset = 4, .size_bytes = 7, .checksum = kChecksum}}};
  }
  // What is found, or nothing.
  std::optional<std::string> found(std::vector<engine::DonorFile> donors, std::uint64_t size = 7) {
    FoundTensors tensors(*files_, std::move(donors));
    std::string bytes;
    if (!tensors.copy("k", size, [&](Bytes part) { bytes += as_text(part); })) {
      EXPECT_EQ(bytes, "");
      return std::nullopt;
    }
    return bytes;
  }

  const std::string kChecksum = xxh3_hex(as_bytes(std::string_view("payload")));
  TemporaryFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
};

TEST_F(FoundTensorsTest, CopiesThePiece) {
  EXPECT_EQ(found({donor("a")}), "payload");
}

TEST_F(FoundTensorsTest, PassesOverWhatIsGoneDamagedShortOrOfAnotherSize) {
  engine::DonorFile gone = donor("gone");
  fs::remove(gone.path);
  EXPECT_EQ(found({gone}), std::nullopt);
  EXPECT_EQ(found({donor("damaged", "headpayl0ad")}), std::nullopt);
  EXPECT_EQ(found({donor("short", "headpay")}), std::nullopt);
  EXPECT_EQ(found({donor("a")}, 8), std::nullopt);
  EXPECT_EQ(found({gone, donor("damaged", "headpayl0ad"), donor("a")}), "payload");
}

TEST_F(FoundTensorsTest, AKeyThatNobodyHasIsNotFound) {
  FoundTensors tensors(*files_, {donor("a")});
  EXPECT_TRUE(tensors.has_size(7));
  EXPECT_FALSE(tensors.has_size(8));
  EXPECT_FALSE(tensors.copy("other", 7, {}));
  EXPECT_FALSE(FoundTensors(*files_, {}).has_size(7));
}

}  // namespace
}  // namespace qbuild::rules
