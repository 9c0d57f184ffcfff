// Safetensors files that are wrong, and what is said of each.

#include "formats/safetensors.h"
#include "tests/formats/broken_file.h"

namespace qbuild::formats {
namespace {

using Kind = ErrorKind;

// A file of one tensor "a", whose members are given, and four bytes of data.
std::string with_tensor(std::string_view members) {
  return safetensors_file(R"({"a":{)" + std::string(members) + "}}", "1234");
}
// One of one byte a value.
std::string with_shape(std::string_view shape, std::string_view offsets = "0,4") {
  return with_tensor(R"("dtype":"U8","shape":[)" + std::string(shape) + R"(],"data_offsets":[)" +
                     std::string(offsets) + "]");
}
std::string u8(std::string_view name, std::size_t begin, std::size_t end) {
  return "\"" + std::string(name) + R"(":{"dtype":"U8","shape":[)" + std::to_string(end - begin) +
         R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}
std::string with_two(const std::string& first, const std::string& second, std::size_t data_bytes) {
  return safetensors_file("{" + first + "," + second + "}", std::string(data_bytes, 'x'));
}

class BrokenSafetensors : public BrokenFileTest {};

TEST_P(BrokenSafetensors, IsRefused) {
  expect_refusal("/m/x.safetensors", [](FileSystem& files) {
    return read_safetensors_header(*files.open("/m/x.safetensors"), "/m/x.safetensors");
  });
}

const std::string kWhole = with_shape("4");

INSTANTIATE_TEST_SUITE_P(
    Lengths, BrokenSafetensors,
    testing::Values(
        BrokenFile{"Empty", "", Kind::kCorrupt,
                   "/m/x.safetensors: it has 0 bytes, too few for a safetensors file"},
        BrokenFile{"CutInItsLength", kWhole.substr(0, 7), Kind::kCorrupt,
                   "/m/x.safetensors: it has 7 bytes, too few for a safetensors file"},
        BrokenFile{"CutBehindItsLength", kWhole.substr(0, 8), Kind::kCorrupt,
                   "/m/x.safetensors: its header claims 53 bytes, the file has 8; it is no "
                   "safetensors file or was cut off"},
        BrokenFile{"CutInItsHeader", kWhole.substr(0, 30), Kind::kCorrupt,
                   "/m/x.safetensors: its header claims 53 bytes, the file has 30; it is no "
                   "safetensors file or was cut off"},
        BrokenFile{
            "CutBeforeItsData", kWhole.substr(0, kWhole.size() - 4), Kind::kCorrupt,
            "/m/x.safetensors: tensor a: it spans bytes 0 to 4, but the file has 0 bytes of data"},
        BrokenFile{
            "CutInItsData", kWhole.substr(0, kWhole.size() - 1), Kind::kCorrupt,
            "/m/x.safetensors: tensor a: it spans bytes 0 to 4, but the file has 3 bytes of data"},
        BrokenFile{"HeaderOf2To63Bytes", le(std::uint64_t{1} << 63U) + kWhole, Kind::kCorrupt,
                   "/m/x.safetensors: its header claims 9223372036854775808 bytes, the file has "
                   "73; it is no safetensors file or was cut off"},
        BrokenFile{"HeaderOf2To64Less1Bytes", le(~std::uint64_t{0}) + kWhole, Kind::kCorrupt,
                   "/m/x.safetensors: its header claims 18446744073709551615 bytes, the file has "
                   "73; it is no safetensors file or was cut off"},
        BrokenFile{"HeaderOfNoBytes", safetensors_file("", "1234"), Kind::kCorrupt,
                   "/m/x.safetensors: header: 1:1: invalid JSON: unexpected end of input; expected "
                   "'[', '{', or a literal"},
        BrokenFile{
            "HeaderOneByteShort", le(std::uint64_t{51}) + kWhole.substr(8), Kind::kCorrupt,
            "/m/x.safetensors: header: 1:52: invalid JSON: unexpected end of input; expected '}'"}),
    BrokenFileName());

INSTANTIATE_TEST_SUITE_P(
    Headers, BrokenSafetensors,
    testing::Values(
        BrokenFile{"HeaderThatIsAList", safetensors_file("[]", "1234"), Kind::kCorrupt,
                   "/m/x.safetensors: header: expected an object, found an array"},
        BrokenFile{
            "HeaderThatIsNoText", safetensors_file("{\"\xff\":{}}", ""), Kind::kCorrupt,
            "/m/x.safetensors: header: 1:3: invalid JSON: invalid string: ill-formed UTF-8 byte"},
        BrokenFile{"HeaderWithAZeroByte", safetensors_file(std::string("{}\0", 3), ""),
                   Kind::kCorrupt, "/m/x.safetensors: header: 1:3: invalid JSON: a zero byte"},
        BrokenFile{"HeaderOf10000Levels",
                   safetensors_file(R"({"a":)" + std::string(10'000, '['), ""), Kind::kCorrupt,
                   "/m/x.safetensors: header: 1:133: nested deeper than 128 levels"},
        BrokenFile{"TensorTwice", with_two(u8("a", 0, 2), u8("a", 2, 4), 4), Kind::kCorrupt,
                   "/m/x.safetensors: header: 1:54: \"a\" is given twice"},
        BrokenFile{"TensorThatIsANumber", safetensors_file(R"({"a":1})", "1234"), Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: expected an object, found a number"},
        BrokenFile{"TensorWithoutType", with_tensor(R"("shape":[4],"data_offsets":[0,4])"),
                   Kind::kCorrupt, "/m/x.safetensors: tensor a: \"dtype\" is missing"},
        BrokenFile{"TensorWithoutShape", with_tensor(R"("dtype":"U8","data_offsets":[0,4])"),
                   Kind::kCorrupt, "/m/x.safetensors: tensor a: \"shape\" is missing"},
        BrokenFile{"TensorWithoutPlace", with_tensor(R"("dtype":"U8","shape":[4])"), Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: \"data_offsets\" is missing"},
        BrokenFile{"TypeThatIsNone",
                   with_tensor(R"("dtype":"Q4\u001b[2J","shape":[4],"data_offsets":[0,4])"),
                   Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: it has the unknown type \"Q4\\x1b[2J\""},
        BrokenFile{"NameOfTwoLines",
                   safetensors_file(R"({"a\nok":{"dtype":"U8","shape":[9],"data_offsets":[0,4]}})",
                                    "1234"),
                   Kind::kCorrupt,
                   "/m/x.safetensors: tensor a\\x0aok: it has 4 bytes, which is not what its shape "
                   "and type need"},
        BrokenFile{"NameOf300Bytes",
                   safetensors_file("{" + u8(std::string(300, 'n'), 0, 5) + "}", "1234"),
                   Kind::kCorrupt,
                   "/m/x.safetensors: tensor " + std::string(160, 'n') +
                       "... (300 bytes): it spans bytes 0 to 5, but the file has 4 bytes of data"}),
    BrokenFileName());

INSTANTIATE_TEST_SUITE_P(
    Shapes, BrokenSafetensors,
    testing::Values(
        BrokenFile{
            "DimensionBelowZero", with_shape("-4"), Kind::kCorrupt,
            "/m/x.safetensors: tensor a: shape: expected a number that is not negative, found -4"},
        BrokenFile{"DimensionOfAHalf", with_shape("4.5"), Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: shape: expected an integer, found 4.5"},
        BrokenFile{"DimensionOf1e300", with_shape("1e300"), Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: shape: expected an integer, found 1e+300"},
        BrokenFile{
            "DimensionOf2To64", with_shape("18446744073709551616"), Kind::kCorrupt,
            "/m/x.safetensors: tensor a: shape: expected an integer, found 1.8446744073709552e+19"},
        BrokenFile{"DimensionThatIsNoNumber", with_shape("NaN"), Kind::kCorrupt,
                   "/m/x.safetensors: header: 1:29: invalid JSON: invalid literal"},
        BrokenFile{"NineDimensions", with_shape("1,1,1,1,1,1,1,2,2"), Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: it has 9 dimensions, more than 8"},
        BrokenFile{"ProductOf2To64", with_shape("4294967296,4294967296", "0,0"), Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: it has 0 bytes, which is not what its shape and "
                   "type need"},
        BrokenFile{"ProductTooLargeBeforeAZero", with_shape("4611686018427387904,8,0", "0,0"),
                   Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: it has 0 bytes, which is not what its shape and "
                   "type need"},
        BrokenFile{"BytesOfAnEmptyShape", with_shape("4,0"), Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: it has 4 bytes, which is not what its shape and "
                   "type need"}),
    BrokenFileName());

INSTANTIATE_TEST_SUITE_P(
    Places, BrokenSafetensors,
    testing::Values(
        BrokenFile{"OneOffset", with_shape("4", "4"), Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: it has no pair of offsets"},
        BrokenFile{"ThreeOffsets", with_shape("4", "0,4,4"), Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: it has no pair of offsets"},
        BrokenFile{
            "OffsetsReversed", with_shape("4", "4,0"), Kind::kCorrupt,
            "/m/x.safetensors: tensor a: it spans bytes 4 to 0, but the file has 4 bytes of data"},
        BrokenFile{"OffsetBelowZero", with_shape("4", "-4,0"), Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: data_offsets: expected a number that is not "
                   "negative, found -4"},
        BrokenFile{"OffsetOf2To63", with_shape("4", "9223372036854775807,9223372036854775808"),
                   Kind::kCorrupt,
                   "/m/x.safetensors: tensor a: data_offsets: expected an integer, found "
                   "9.223372036854776e+18"},
        BrokenFile{
            "OffsetPastTheEnd", with_shape("5", "0,5"), Kind::kCorrupt,
            "/m/x.safetensors: tensor a: it spans bytes 0 to 5, but the file has 4 bytes of data"},
        BrokenFile{"HoleAtTheBeginning", with_shape("3", "1,4"), Kind::kCorrupt,
                   "/m/x.safetensors: there is a hole or an overlap before tensor a: it begins at "
                   "byte 1 of the data instead of 0"},
        BrokenFile{"HoleBetween", with_two(u8("a", 0, 2), u8("b", 3, 5), 5), Kind::kCorrupt,
                   "/m/x.safetensors: there is a hole or an overlap before tensor b: it begins at "
                   "byte 3 of the data instead of 2"},
        BrokenFile{"Overlap", with_two(u8("a", 0, 3), u8("b", 2, 4), 4), Kind::kCorrupt,
                   "/m/x.safetensors: there is a hole or an overlap before tensor b: it begins at "
                   "byte 2 of the data instead of 3"},
        BrokenFile{"TwoTensorsInOnePlace", with_two(u8("a", 0, 4), u8("b", 0, 4), 4),
                   Kind::kCorrupt,
                   "/m/x.safetensors: there is a hole or an overlap before tensor b: it begins at "
                   "byte 0 of the data instead of 4"},
        BrokenFile{"BytesBehindTheLast", with_two(u8("a", 0, 2), u8("b", 2, 4), 9), Kind::kCorrupt,
                   "/m/x.safetensors: 5 bytes follow the last tensor"}),
    BrokenFileName());

}  // namespace
}  // namespace qbuild::formats
