// GGUF files that are wrong, and what is said of each.

#include "formats/gguf_reader.h"
#include "tests/formats/broken_file.h"

namespace qbuild::formats {
namespace {

using Kind = ErrorKind;

std::string u32(std::uint32_t value) {
  return le(value);
}
std::string u64(std::uint64_t value) {
  return le(value);
}

// One key "k" of a type, and what follows the type.
std::string with_key(std::uint32_t type, const std::string& value) {
  return gguf_start(0, 1) + gguf_string("k") + u32(type) + value;
}
std::string with_array(std::uint32_t element, std::uint64_t count,
                       const std::string& elements = "") {
  return with_key(9, u32(element) + u64(count) + elements);
}
// One tensor and 64 bytes of data.
std::string with_info(const std::string& info) {
  return padded(gguf_start(1, 0) + info) + std::string(64, 'x');
}
std::string with_infos(const std::string& first, const std::string& second) {
  return padded(gguf_start(2, 0) + first + second) + std::string(64, 'x');
}
std::string with_alignment(std::uint32_t alignment) {
  return gguf_start(0, 1) + gguf_u32_pair("general.alignment", alignment);
}

class BrokenGguf : public BrokenFileTest {};

TEST_P(BrokenGguf, IsRefused) {
  expect_refusal("/m/x.gguf",
                 [](FileSystem& files) { return GgufReader::open(files, "/m/x.gguf"); });
}

const std::string kWhole = with_info(gguf_tensor_info("a", {4}, 0, 0));

INSTANTIATE_TEST_SUITE_P(
    Beginnings, BrokenGguf,
    testing::Values(
        BrokenFile{"Empty", "", Kind::kCorrupt,
                   "/m/x.gguf: it is no GGUF file (it does not begin with \"GGUF\")"},
        BrokenFile{"AnotherMagic", "GGML" + u32(3) + std::string(16, '\0'), Kind::kCorrupt,
                   "/m/x.gguf: it is no GGUF file (it does not begin with \"GGUF\")"},
        BrokenFile{"CutBehindItsMagic", "GGUF", Kind::kCorrupt,
                   "/m/x.gguf: the file ends at byte 4, in its header"},
        BrokenFile{"CutInItsCounts", kWhole.substr(0, 20), Kind::kCorrupt,
                   "/m/x.gguf: the file ends at byte 20, in its header"},
        BrokenFile{"Version0", gguf_start(0, 0, 0), Kind::kUnsupported,
                   "/m/x.gguf: it has GGUF version 0; 2 and 3 are read"},
        BrokenFile{"Version1", gguf_start(0, 0, 1), Kind::kUnsupported,
                   "/m/x.gguf: it has GGUF version 1; 2 and 3 are read"},
        BrokenFile{"Version4", gguf_start(0, 0, 4), Kind::kUnsupported,
                   "/m/x.gguf: it has GGUF version 4; 2 and 3 are read"},
        BrokenFile{"BigEndian", gguf_start(0, 0, 0x03000000U), Kind::kUnsupported,
                   "/m/x.gguf: it is a big-endian GGUF, which qbuild does not read"},
        BrokenFile{"TwoTo60Tensors", gguf_start(std::int64_t{1} << 60U, 0), Kind::kCorrupt,
                   "/m/x.gguf: 1152921504606846976 tensors and 0 keys, of which at most 131072 and "
                   "65536 are read, before byte 24"},
        BrokenFile{"LessThanNoTensors", gguf_start(-1, 0), Kind::kCorrupt,
                   "/m/x.gguf: -1 tensors and 0 keys, of which at most 131072 and 65536 are read, "
                   "before byte 24"},
        BrokenFile{"TwoTo60Keys", gguf_start(0, std::int64_t{1} << 60U), Kind::kCorrupt,
                   "/m/x.gguf: 0 tensors and 1152921504606846976 keys, of which at most 131072 and "
                   "65536 are read, before byte 24"},
        BrokenFile{"LessThanNoKeys", gguf_start(0, std::int64_t{-1} << 63U), Kind::kCorrupt,
                   "/m/x.gguf: 0 tensors and -9223372036854775808 keys, of which at most 131072 "
                   "and 65536 are read, before byte 24"},
        BrokenFile{
            "MoreTensorsThanThereAre", gguf_start(2, 0) + kWhole.substr(24), Kind::kCorrupt,
            "/m/x.gguf: a string of 8646911284551352320 bytes, which may have 63, before byte 65"}),
    BrokenFileName());

INSTANTIATE_TEST_SUITE_P(
    Keys, BrokenGguf,
    testing::Values(
        BrokenFile{"CutBeforeAKey", gguf_start(0, 1), Kind::kCorrupt,
                   "/m/x.gguf: the file ends at byte 24, in its header"},
        BrokenFile{"CutInAKey", gguf_start(0, 1) + u64(9) + "gene", Kind::kCorrupt,
                   "/m/x.gguf: the file ends at byte 36, in its header"},
        BrokenFile{"CutBeforeAType", gguf_start(0, 1) + gguf_string("k"), Kind::kCorrupt,
                   "/m/x.gguf: key k: the file ends at byte 33, in its header"},
        BrokenFile{"CutInAValue", with_key(4, "\1\2"), Kind::kCorrupt,
                   "/m/x.gguf: key k: the file ends at byte 39, in its header"},
        BrokenFile{"KeyOf2To62Bytes", gguf_start(0, 1) + u64(std::uint64_t{1} << 62U),
                   Kind::kCorrupt,
                   "/m/x.gguf: a string of 4611686018427387904 bytes, which may have 65535, before "
                   "byte 32"},
        BrokenFile{"KeyWithoutAName", gguf_start(0, 1) + gguf_u32_pair("", 1), Kind::kCorrupt,
                   "/m/x.gguf: an empty key before byte 32"},
        BrokenFile{"KeyTwice", gguf_start(0, 2) + gguf_u32_pair("k\n", 1) + gguf_u32_pair("k\n", 2),
                   Kind::kCorrupt, "/m/x.gguf: the key k\\x0a twice before byte 52"},
        BrokenFile{"UnknownType", with_key(13, u64(0)), Kind::kCorrupt,
                   "/m/x.gguf: key k: an unknown value type 13 before byte 37"},
        BrokenFile{"KeyThatIsNoText", gguf_start(0, 1) + gguf_string("\xff\x1b[2J") + u32(99),
                   Kind::kCorrupt,
                   "/m/x.gguf: key \\xff\\x1b[2J: an unknown value type 99 before byte 41"},
        BrokenFile{"KeyOf300Bytes", gguf_start(0, 1) + gguf_string(std::string(300, 'k')) + u32(99),
                   Kind::kCorrupt,
                   "/m/x.gguf: key " + std::string(160, 'k') +
                       "... (300 bytes): an unknown value type 99 before byte 336"},
        BrokenFile{"StringOf2To62Bytes", with_key(8, u64(std::uint64_t{1} << 62U)), Kind::kCorrupt,
                   "/m/x.gguf: key k: a string of 4611686018427387904 bytes, which may have "
                   "134217728, before byte 45"},
        BrokenFile{"StringOf2To64Less1Bytes", with_key(8, u64(~std::uint64_t{0}) + "x"),
                   Kind::kCorrupt,
                   "/m/x.gguf: key k: a string of 18446744073709551615 bytes, which may have "
                   "134217728, before byte 45"},
        BrokenFile{"StringLongerThanTheFile", with_key(8, u64(100) + "short"), Kind::kCorrupt,
                   "/m/x.gguf: key k: the file ends at byte 50, in its header"},
        BrokenFile{"ArrayOf2To60Bytes", with_array(0, std::uint64_t{1} << 60U), Kind::kCorrupt,
                   "/m/x.gguf: key k: an array of 1152921504606846976 elements, more than the file "
                   "can hold, before byte 49"},
        BrokenFile{"ArrayOf2To61Strings", with_array(8, std::uint64_t{1} << 61U), Kind::kCorrupt,
                   "/m/x.gguf: key k: an array of 2305843009213693952 elements, more than the file "
                   "can hold, before byte 49"},
        BrokenFile{"ArrayOf2To64Less1Numbers", with_array(10, ~std::uint64_t{0}), Kind::kCorrupt,
                   "/m/x.gguf: key k: an array of 18446744073709551615 elements, more than the "
                   "file can hold, before byte 49"},
        BrokenFile{"ArrayOfUnknownType", with_array(77, 1), Kind::kCorrupt,
                   "/m/x.gguf: key k: an unknown value type 77 before byte 41"},
        BrokenFile{"CutInAnArray", with_array(5, 2, u32(1)), Kind::kCorrupt,
                   "/m/x.gguf: key k: an array of 2 elements, more than the file can hold, before "
                   "byte 49"},
        BrokenFile{"AlignmentOf0", with_alignment(0), Kind::kCorrupt,
                   "/m/x.gguf: general.alignment is no u32 power of two"},
        BrokenFile{"AlignmentOf33", with_alignment(33), Kind::kCorrupt,
                   "/m/x.gguf: general.alignment is no u32 power of two"}),
    BrokenFileName());

// An array in an array in an array, 10,000 deep.
std::string deep_arrays() {
  std::string value;
  for (int level = 0; level < 10'000; ++level) value += u32(9) + u64(1);
  return with_key(9, value);
}

INSTANTIATE_TEST_SUITE_P(
    Tensors, BrokenGguf,
    testing::Values(
        BrokenFile{"ArraysOf10000Levels", deep_arrays(), Kind::kCorrupt,
                   "/m/x.gguf: key k: an array of arrays before byte 49"},
        BrokenFile{"CutInAName", gguf_start(1, 0) + u64(5) + "tok", Kind::kCorrupt,
                   "/m/x.gguf: the file ends at byte 35, in its header"},
        BrokenFile{"CutInAShape", gguf_start(1, 0) + gguf_string("a") + u32(2) + u64(4),
                   Kind::kCorrupt, "/m/x.gguf: the file ends at byte 45, in its header"},
        BrokenFile{"CutInItsData", kWhole.substr(0, kWhole.size() - 49), Kind::kCorrupt,
                   "/m/x.gguf: tensor a ends past the file, which has 79 bytes; it was cut off"},
        BrokenFile{"NameOf64Bytes", with_info(gguf_tensor_info(std::string(64, 'n'), {4}, 0, 0)),
                   Kind::kCorrupt,
                   "/m/x.gguf: a string of 64 bytes, which may have 63, before byte 32"},
        BrokenFile{"TensorWithoutAName", with_info(gguf_tensor_info("", {4}, 0, 0)), Kind::kCorrupt,
                   "/m/x.gguf: a tensor without a name before byte 32"},
        BrokenFile{"NoDimensions", with_info(gguf_tensor_info("a", {}, 0, 0)), Kind::kCorrupt,
                   "/m/x.gguf: tensor a with 0 dimensions before byte 37"},
        BrokenFile{"FiveDimensions", with_info(gguf_tensor_info("a", {1, 1, 1, 1, 1}, 0, 0)),
                   Kind::kCorrupt, "/m/x.gguf: tensor a with 5 dimensions before byte 37"},
        BrokenFile{"TwoTo32Less1Dimensions", with_info(gguf_string("a") + u32(~0U)), Kind::kCorrupt,
                   "/m/x.gguf: tensor a with 4294967295 dimensions before byte 37"},
        BrokenFile{"DimensionOf0", with_info(gguf_tensor_info("a", {4, 0}, 0, 0)), Kind::kCorrupt,
                   "/m/x.gguf: tensor a with a dimension of 0 before byte 53"},
        BrokenFile{"DimensionBelow0", with_info(gguf_tensor_info("a", {-4}, 0, 0)), Kind::kCorrupt,
                   "/m/x.gguf: tensor a with a dimension of -4 before byte 45"},
        BrokenFile{"ProductOf2To64",
                   with_info(gguf_tensor_info("a", {std::int64_t{1} << 32U, std::int64_t{1} << 32U},
                                              0, 0)),
                   Kind::kCorrupt, "/m/x.gguf: tensor a larger than the file before byte 57"},
        BrokenFile{"RowWhoseBytesOverflow",
                   with_info(gguf_tensor_info("a", {std::int64_t{1} << 62U}, 0, 0)), Kind::kCorrupt,
                   "/m/x.gguf: tensor a larger than the file before byte 49"},
        BrokenFile{"RowOfNoWholeBlocks", with_info(gguf_tensor_info("a", {31}, 2, 0)),
                   Kind::kCorrupt,
                   "/m/x.gguf: tensor a of type Q4_0 with rows of 31 values, no whole blocks, "
                   "before byte 49"},
        BrokenFile{"UnknownTensorType", with_info(gguf_tensor_info("a\x1b", {4}, 99, 0)),
                   Kind::kUnsupported,
                   "/m/x.gguf: tensor a\\x1b has type 99, which qbuild does not read"},
        BrokenFile{"OffsetThatIsNotAligned", with_info(gguf_tensor_info("a", {4}, 0, 3)),
                   Kind::kCorrupt, "/m/x.gguf: tensor a begins at byte 3 of the data instead of 0"},
        BrokenFile{"OffsetPastTheEnd", with_info(gguf_tensor_info("a", {4}, 0, 1'000'000)),
                   Kind::kCorrupt,
                   "/m/x.gguf: tensor a begins at byte 1000000 of the data instead of 0"},
        BrokenFile{
            "OffsetThatOverflows", with_info(gguf_tensor_info("a", {4}, 0, ~std::uint64_t{0} - 31)),
            Kind::kCorrupt,
            "/m/x.gguf: tensor a begins at byte 18446744073709551584 of the data instead of 0"},
        BrokenFile{"TensorTwice",
                   with_infos(gguf_tensor_info("a", {1}, 0, 0), gguf_tensor_info("a", {1}, 0, 32)),
                   Kind::kCorrupt, "/m/x.gguf: there are two tensors a"},
        BrokenFile{"Overlap",
                   with_infos(gguf_tensor_info("a", {9}, 0, 0), gguf_tensor_info("b", {1}, 0, 32)),
                   Kind::kCorrupt,
                   "/m/x.gguf: tensor b begins at byte 32 of the data instead of 64"},
        BrokenFile{"HoleBetween",
                   with_infos(gguf_tensor_info("a", {1}, 0, 0), gguf_tensor_info("b", {1}, 0, 64)),
                   Kind::kCorrupt,
                   "/m/x.gguf: tensor b begins at byte 64 of the data instead of 32"}),
    BrokenFileName());

}  // namespace
}  // namespace qbuild::formats
