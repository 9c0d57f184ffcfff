#include "rules/weight_source.h"

#include "tests/rules/gguf_files.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;
using ::testing::HasSubstr;

using WeightSourceTest = GgufFiles;

TEST_F(WeightSourceTest, NothingIsQuantizedASecondTimeUnlessAsked) {
  const fs::path eight = kept(make(kBard, "Q8_0"), "bard-Q8_0.gguf");
  const Error error = error_of([&] { (void)make(eight, "Q4_K_M"); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(error.message(),
            "output.weight is Q8_0 in the source: its error would add to that of Q6_K; take a "
            "source of F16, BF16 or F32, or write requantize: true");
  ActionRequest asked = request(eight, "Q4_K_M");
  asked.context["requantize"] = true;
  const formats::GgufReader file = reader(run(asked));
  EXPECT_EQ(file.find("output.weight")->dtype, DType::kQ6_K);
  // What has the type already is the same.
  EXPECT_EQ(read_text(make(eight, "Q8_0")), read_text(eight));
}

TEST_F(WeightSourceTest, FewerBitsThanEightAreNeverQuantizedAgain) {
  const fs::path four = kept(make(kBard, "Q4_0"), "bard-Q4_0.gguf");
  ActionRequest asked = request(four, "Q8_0");
  asked.context["requantize"] = true;
  const Error error = error_of([&] { (void)run(asked); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(error.message(),
              HasSubstr("output.weight is Q6_K in the source, of which no Q8_0 is made"));
}

TEST_F(WeightSourceTest, OfNothingSaysSo) {
  const fs::path none = folder_.path() / "none";
  const Error error = error_of([&] { (void)open_weights(context_.file_system(), none); });
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.message(), none.string() + ": there is no such checkpoint folder or GGUF file");
}

}  // namespace
}  // namespace qbuild::rules
