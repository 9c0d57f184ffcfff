#include "manifests/source_name.h"

#include <gtest/gtest.h>

namespace qbuild::manifests {
namespace {

TEST(SourceName, OfAFolderIsItsName) {
  EXPECT_EQ(source_name("/p/tiny"), "tiny");
  EXPECT_EQ(source_name("/p/tiny-F16"), "tiny-F16");
  EXPECT_EQ(source_name("/"), "");
}

TEST(SourceName, OfAFileIsWithoutEndingPartAndType) {
  EXPECT_EQ(source_name("/p/tiny.gguf"), "tiny");
  EXPECT_EQ(source_name("/p/tiny-F16.gguf"), "tiny");
  EXPECT_EQ(source_name("/p/tiny.bf16.gguf"), "tiny");
  EXPECT_EQ(source_name("/p/tiny_f32.gguf"), "tiny");
  EXPECT_EQ(source_name("/p/tiny-fp16.gguf"), "tiny");
  EXPECT_EQ(source_name("/p/tiny-Q8_0-00001-of-00002.gguf"), "tiny");
  EXPECT_EQ(source_name("/p/tiny-00001-of-00002.gguf"), "tiny");
}

TEST(SourceName, KeepsWhatOnlyLooksLikeAType) {
  EXPECT_EQ(source_name("/p/tinyF16.gguf"), "tinyF16");
  EXPECT_EQ(source_name("/p/F16.gguf"), "F16");
  EXPECT_EQ(source_name("/p/-F16.gguf"), "-F16");
  EXPECT_EQ(source_name("/p/tiny-Q4_K_M.gguf"), "tiny-Q4_K_M");
  EXPECT_EQ(source_name("/p/tiny-0001-of-00002.gguf"), "tiny-0001-of-00002");
  EXPECT_EQ(source_name("/p/.gguf"), "");
}

TEST(SourceName, AFileEndsInGguf) {
  EXPECT_TRUE(is_gguf_path("/p/tiny.gguf"));
  EXPECT_FALSE(is_gguf_path("/p/tiny"));
  EXPECT_FALSE(is_gguf_path("/p/tiny.GGUF"));
}

}  // namespace
}  // namespace qbuild::manifests
