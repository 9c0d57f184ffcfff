// Encoder versions are part of keys, so a version and the bytes that it stands for change together.

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "base/digest.h"
#include "tests/kernels/codec_data.h"

namespace qbuild::kernels {
namespace {

// What each version of an encoder made of golden_values(), version 1 first: the SHA-256 of its
// bytes without importance at default effort, and that of its bytes in the three other ways
// together (see all_options). An entry is never edited. Where the last test below fails, either the
// change of bytes was an accident, or the version in kernels/codec.cc goes up by one and the digest
// that the test prints is appended here.
struct Digests {
  std::string_view plain, searched;
  bool operator==(const Digests&) const = default;
};
struct Golden {
  DType dtype;
  std::vector<Digests> digests;
};
const std::vector<Golden>& golden() {
  static const std::vector<Golden> kGolden{
      {DType::kF32,
       {{"7b3e427d137276760f6a305913b37644145a780cdf9ea24b7d39ecf9e4c836b2",
         "2e43a9203deb16aadd4b5905885cf8677766085af415198bcd8e86dc2702cef7"}}},
      {DType::kF16,
       {{"ba7ccf39569cdff3a375b87977e12775e1dc99d88d796a9bbfbaa3f3da7462bc",
         "f7a9df661bbfb2aa56fc84c07d1845d413eb295adda406702610c24097bcb344"}}},
      {DType::kQ4_0,
       {{"13a9e092342e1727ac6536740bafbfe5008203c8abfed58d4fe604de728e33c5",
         "75699acb7b564af958f0fc38f00db1816fc7bfd932867ca37d6ac3dbdf3a532d"},
        {"13a9e092342e1727ac6536740bafbfe5008203c8abfed58d4fe604de728e33c5",
         "acad063024408103bb75e9fd50c1b7a884aff987af2c3c280116de6183f58e84"},
        {"fc19826b8dd1aa8e921548021db1426169ff35b77b756a21f152d1a51a57d28d",
         "2ff74c5fe4507034f3a00742e48efbb8d334ffc3fe9619b545c47fdba73b4d56"}}},
      {DType::kQ4_1,
       {{"3f165e3db0b211022bd50043e915274acaaba5babff7d34141d91ae16eb51843",
         "86aac40272245958959e366f0951d5a2629d47d7fcafaa6ecf67ad910d009244"},
        {"82e7da1228bd1f361cc769c4fcd7039d87de8c2eb23952393de6b6eb5e6a7e68",
         "b7ecb12bb877e6e31f5f34e1331eb7bbf6cd70dcf646017fcbeede9a44eed057"}}},
      {DType::kQ5_0,
       {{"e74cae1b1928363375933e8f79f1c2403b1500ffa1eb0c683295efeecc3e727d",
         "6af2cf3c5f3508cd7ff370540388352bbb0cf59bffa756f11148134e36d999e7"},
        {"e74cae1b1928363375933e8f79f1c2403b1500ffa1eb0c683295efeecc3e727d",
         "5f49992fed74a982f66c71cec996b670d7b02214f16de4a5e5c526224c792dcd"},
        {"87592bc38fb09b0fca2bd16093103ee34edbb76e677e109b9e350343d2aefaaf",
         "7724b8078476981dfa35ec323f8726f4104302b6e68b5893541773a9dbfc9169"}}},
      {DType::kQ5_1,
       {{"882664ba2f5255a9162fad673ade845387c80e2121d0cfc0a12197788d23b8c0",
         "b9621866ca72033a3566ec0f81a55435404fd6a2ba56c2f32a59ca039a22f56a"},
        {"aad21bcbcc369739e9a3108d5491b85b296f93dfa8cdbdd0289bff06b4ec9edb",
         "1cd78a34c50439a30d64cd2d368644239bf1431c791559bf11178a0aa2d55a50"}}},
      {DType::kQ8_0,
       {{"e3b14837763990bb6de81625e94357ba747f1297d8a0301963d21242da196de0",
         "fe0d41b17cb958e2c47bf3f8f32d29c685d0ace22c85d0bab7a5b39da6438198"},
        {"78b4151b8ff6879103132c8bb601ec921dfa645b0b5b5f13e46bbb503818afe5",
         "1e8f3d158b6ba8f494fb53033a2b785f2201fb15b07a84b694826187f85ff145"}}},
      {DType::kQ2_K,
       {{"53fab3930f1f2aee91180445f677540768e1c944eb01979e5ca252aa5bcddb1a",
         "8d279eb5efbf03a80d777e574fd3039c68e5d78150aaa69ec569ba248ee4a879"},
        {"8418db93ee259610b0ce3b60bd14839b6ab903a317a0c638040519400d04574f",
         "c2530dcd7667006869e2e047087dd17d8e0993308f5bdb6efdee959697bf5a7f"}}},
      {DType::kQ3_K,
       {{"297bfb9251d294b6f335b2c29a7ffbc0e2400d51736b2c2e43a0e7a39c1eb9ba",
         "162d4b58d2cdaec5f2181fd6912018910636739c3621e6ffe01a8907240a2996"},
        {"ad2d9506843ae1ff380ec717fc380c2bdc23fb27e347269f31127a6ad08925b9",
         "709d63cae47a9fde41e27efbff4ec6b26dd856898422df9566f18e4255facdec"},
        {"890933d7cfe31d49a6117f0c2de9935e7dbf914ba57a4c9f07414614a5739929",
         "f0ed08f015f180cdf93429575489c612f985f5336de33d253bc0b9a5163791b2"}}},
      {DType::kQ4_K,
       {{"c91da5fc11c93cddf2be27e31d4ab376acc5b793d09a43bc28b12106c8c9763f",
         "8bcca918333e1eef7b9a9e3d3ae6bf12cbd4a37f47065d9e4a7041d8ba156586"},
        {"641c0e911c9d1cd72f7807a3a1730a5e90caa151c0a1ec2905b7fccc4a1bbca9",
         "96a21670df71c1ec092dc1d14f4f977391206dd647ca0eb0b8e4f222affeba17"}}},
      {DType::kQ5_K,
       {{"e43666da1314fab6d0af9ed30c4d9fd340c05ac1c412efd6c1905d81b5f8d3a6",
         "c186cf7ac4cc6c82a6a25bc5247f9142e2cbf6fa9fba70871bd33c442877cc21"},
        {"e32641f3416ceb6793f2aec9db0ea64f7378195d5853d0544c198a06485b532e",
         "dd48a9059ccb6a5d2adaeaff1b32aba0bf7296070363bf26679bb8e7ed005fbc"}}},
      {DType::kQ6_K,
       {{"e7f0d97bede428ce7af8831615b184cfe3ae671307d2f85886f781345792b486",
         "462a5416cb31618242fa100eab66ba9bbb8a09ddc5060c3ae74e279c71512ab6"},
        {"056139b40ab7ecee20f3293bdd9edd51a8c5884b5b2a410b2321be314fdd0e11",
         "e4798116df3f8954cb5b48e7580570a58532e845ef99858035d18ccb78715239"},
        {"54904fe370528e1fd98884d3fa66f80df738717c2e654c0f6f5ccb876b60ba28",
         "f874ccff225a8d0af2c8da84ea1ea40000d8f3379de3b7b9f9e22ceda6077a6d"}}},
      {DType::kIQ2_XXS,
       {{"9787d9e6a7c86bff3bae128954415974568f6442b3e2dfc914653c7e2b41f9ea",
         "f470a26ab174515631ca914bae11d5eb2599666468be2fe70ff1578340f0ac31"},
        {"9787d9e6a7c86bff3bae128954415974568f6442b3e2dfc914653c7e2b41f9ea",
         "7f6180d49384ca7a513e052d4a9202f5f62017df5244a6112fb93c72dc6b2e62"},
        {"2c3f4bceab1f1c2a619c43637f024d4ae4dbf3c6eee36a0b6ba578b03d02e0a5",
         "0436f8a939f52bd9412aaab033880e2565b5a208b0b0d83a8fb084f1b27c122d"}}},
      {DType::kIQ2_XS,
       {{"62fdd4dcb292dc75845ed7f0e54d435f749c5476dc23ad88184398014df8ad76",
         "a7eca99962f10513b3f6ecb5c0ad29fa1b830cd8953e4ab16a930ff0af3bc46b"},
        {"62fdd4dcb292dc75845ed7f0e54d435f749c5476dc23ad88184398014df8ad76",
         "860cdf37ea70d4ad731492f9f60c8bfa5e70c4107f0c3a7da202e9d9cb9159bf"},
        {"85dc62b3475429fd957afbc4a64e1ff6127e132ff3376dc37b1f3cd6b2973eef",
         "70185bcbac207069aa12f0bc0777acd4dd7925425e575925a9f0492ee0d9c6b9"}}},
      {DType::kIQ3_XXS,
       {{"98f222c7036df7a4bf30490acdeb432ae373211d7ce1a2d2037a4de9aa5708b2",
         "9db9b7b17778b6e18593be0b4699e3e0b91a7166f116fd1c75d1a2caadc8eb0a"},
        {"3b41b1eba64f85639e91ec18de773a8b17d5dfd54647deb5e244d5b34f4b09dc",
         "b2754a784833ae6eefc76866c3c52573d27e08d6b9d4c04ffa4fd5e75037987e"}}},
      {DType::kIQ1_S,
       {{"1d74106f00c00112b7468bbf99c2cf30fecb034634ad8ba2fa4160d5a0ee5856",
         "cc5e29aba44749e1e8b239ea75f6ad30fe832e0a2e31f7ff070045ed78448c99"},
        {"1d74106f00c00112b7468bbf99c2cf30fecb034634ad8ba2fa4160d5a0ee5856",
         "3f69e9f55fa0187ebe523e3e5c8e9f52e67a6059439fb1e064ce9c343c4e48d2"},
        {"8b660c1cd44f2d9327ea9baf87f2823103391c9daec3df9392ad161684dde54a",
         "228d6add1f66df06ff15b357e4884ca96bd5431886cf6fb9516ca08db89af52e"}}},
      {DType::kIQ4_NL,
       {{"4be4976c45731bdf64510478b168d69d2975c0e680479d3d63a4fbb88147277d",
         "09d9b0de4744969054c9e030bf4fc7aec79038b34e5f7e9e302fbfcbcd737927"},
        {"c8863b0fff2d45172111fd79b9337448ef1841a69b73619fd2ca9ba98753c0cc",
         "8a83cc7bc6216baa888bab17a93c1b63f82b7da195d88e961b0eef4880689adf"},
        {"b83645bd5a8b3f909b4ad91b57b92efb88b902ffef0a3fd4c1fcca9f4591ec2b",
         "9ba2f40c051496704cfc72b4746d95324fbe66cc7ccf57a8449d765b34fa6b37"}}},
      {DType::kIQ3_S,
       {{"012736390b49d6cfd36d7c4e1265ef4364cb55d96e14e93d82283f096139e650",
         "e2b69b45cf12cc05ac403e3e0b1dc92dc9705ca8b9a1956399efa216bf6b9efb"},
        {"f06537d7d59265cdd6f4c9e98a882d473cfc073d52eb91986198bdcb24951d4f",
         "e6b07b3723080e1bedf60bc3a6de51a3dd8f2e6b9ef512ced85bf5a07b8f9842"}}},
      {DType::kIQ2_S,
       {{"0161b0de3784385f1c1a9c2a3bb0a1f407c701e84ac4ca03f931cdccfb6beca2",
         "3c3bf63778e5661dd8b623c48291757d0ac131d8ec202fb88de1a6fa5959b0f6"},
        {"0161b0de3784385f1c1a9c2a3bb0a1f407c701e84ac4ca03f931cdccfb6beca2",
         "f35906b448fe59cb51ae923a5b8249e4885f7489e3842de80b4120c4f2dcd013"},
        {"94fa34a637e998834534025a6d73056bce55a59819e912e2e81d4f5c4ec44a59",
         "354e367b341fed89823c63acdffde2a8a571290da311bf65ef9cacc5e774d158"}}},
      {DType::kIQ4_XS,
       {{"5d11e7436a5a9067982d3d6c27ac10cde294c5aedcaed05d262ea41c651ca228",
         "f9b798df184f4c16dabc63dc4788faa6b981b13a6a38f38ed1abd3ed4b944eee"},
        {"654926ce951ba57f5fa9d508b89e90a4e94dbe91445edec4b29492a90bed7f7b",
         "9ae037071c24013fc49a42c96d9f55e3794ae92f03c84412e36757807557b6d5"}}},
      {DType::kIQ1_M,
       {{"444b9bbda1cd102ab1b53b5de7ae613c5c0f2e242a3e7e6e5ef7c4fdf27b3494",
         "70e6c47a69651f8c562a1857da67975284228c21beac23112b802e1b50550012"},
        {"444b9bbda1cd102ab1b53b5de7ae613c5c0f2e242a3e7e6e5ef7c4fdf27b3494",
         "01c2f33e15287555fda1dd0cec408004b572fd0c030bedc53537c15b02969243"},
        {"14fa13c8781050b8d5a85a440916e8bd18a4feb9ac67693c6691c37b5821c271",
         "72ba2690fe0228afc86ecece146097af547227fda2c717ab26c90fd45668169b"}}},
      {DType::kBF16,
       {{"d3ab0b688bc7ac4a1f24fcd8d1531f84038958803650f8f58042f350d43352e4",
         "220380c099bd7f8a89125db50c3cd2ed42006948dad8e92559a12788fd446bf1"}}},
      {DType::kTQ1_0,
       {{"bbcb78ea1980fdb42190c754b9406c5197636ff0d04220631118adb3fb8f52af",
         "7fab5441149512696336651cf41b7a3ea8d3f88d6413af7e3b525f20cfab118e"}}},
      {DType::kTQ2_0,
       {{"3010bdb47c486b92871fa263236ecc069c9aad17aee8442f329e76ade49913b6",
         "2ed80c1c49a6bbbac120e6a6c0866f080545d4d846faabfd8e02d276a0474d7e"}}},
      {DType::kMXFP4,
       {{"109f30d9e42bcd948216543003f9a8d9e198c1063fe32752d8a84e527c23470d",
         "47658b6f4d0acdbcb721d9fd49ca042330987428918f2eeb5df142ec9384add1"}}},
      {DType::kNVFP4,
       {{"71a99027d4d7da86b1599a48d070b54c0ec66186a31554e577a063e7d059169b",
         "edf1fb3626eb99299a14ffb9e9e55aed8dff88864ad5e795d81b3d4791f5fbe2"},
        {"71a99027d4d7da86b1599a48d070b54c0ec66186a31554e577a063e7d059169b",
         "674a665468f2d81f5f2aba0bdda3baa8d501b9a1d3e6c09831b8f3b66f19d3dc"}}},
      {DType::kQ1_0,
       {{"dbfb840cf3663340829bf6dd68d6c383e9b7fd80d73f6ea7d185b0be9bc0a3d7",
         "a696c6fc001261844cf6e1ecac68e26bdf3703c4d9384a09c7f59f497b5fec36"}}},
      {DType::kQ2_0,
       {{"03ac50e182934579df1ebbb1aec850b4edab6b3eef2c57a42b81c66e5d261cf8",
         "91d7d0bdfdc6419f04c0948e3387dbe74a80b891f94540cc963d6298a10e3891"}}},
  };
  return kGolden;
}

TEST(EncodeGolden, CoversEveryEncoderInOrder) {
  const std::vector<Codec> able = encoders();
  ASSERT_EQ(golden().size(), able.size());
  for (std::size_t i = 0; i < golden().size(); ++i) {
    EXPECT_EQ(golden()[i].dtype, able[i].dtype);
  }
}

TEST(EncodeGolden, EveryVersionHasItsOwnBytes) {
  for (const Golden& entry : golden()) {
    EXPECT_EQ(find_codec(entry.dtype)->encoder_version, entry.digests.size())
        << dtype_name(entry.dtype) << ": a version without new bytes, or bytes without a version";
    for (std::size_t i = 1; i < entry.digests.size(); ++i) {
      EXPECT_FALSE(entry.digests[i] == entry.digests[i - 1]) << dtype_name(entry.dtype);
    }
  }
}

TEST(EncodeGolden, BytesAreThoseOfTheDeclaredVersion) {
  for (const Golden& entry : golden()) {
    const std::vector<float> values = golden_values(entry.dtype);
    const std::vector<float> importance = golden_importance();
    std::vector<std::byte> searched;
    for (const NamedOptions& way : all_options(importance)) {
      const auto bytes = encode(best_backend(), entry.dtype, values, way.options);
      if (way.name != "default") {
        searched.insert(searched.end(), bytes.begin(), bytes.end());
        continue;
      }
      EXPECT_EQ(sha256(bytes).hex(), entry.digests.back().plain)
          << dtype_name(entry.dtype) << " encodes differently now";
    }
    EXPECT_EQ(sha256(searched).hex(), entry.digests.back().searched)
        << dtype_name(entry.dtype) << " encodes differently now, in another way than the default";
  }
}

}  // namespace
}  // namespace qbuild::kernels
