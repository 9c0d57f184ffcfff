#include "base/digest.h"

#include <openssl/evp.h>
#include <xxhash.h>
#if QBUILD_XXHASH_DISPATCHES
// The same functions for the widest vectors of this processor: three times as fast with AVX2.
#include <xxh_x86dispatch.h>
#endif

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace qbuild {
namespace {

std::string to_hex(std::span<const std::uint8_t> bytes) {
  return qbuild::to_hex(
      std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string to_hex(const XXH128_hash_t& hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  return to_hex(canonical.digest);
}

struct FreeXxh3 {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};
using Xxh3State = std::unique_ptr<XXH3_state_t, FreeXxh3>;

// The library looks at the processor when it is first used, and not with threads in mind.
void choose_vectors() {
  static const bool kAreChosen = [] {
    const Xxh3State state(XXH3_createState());
    return state != nullptr && XXH3_128bits_reset(state.get()) == XXH_OK &&
           XXH3_128bits_update(state.get(), "", 1) == XXH_OK;
  }();
  check(kAreChosen, "an XXH3 takes a byte");
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Context start(const EVP_MD* algorithm) {
  Context context(EVP_MD_CTX_new());
  check(context != nullptr && EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1,
        "libcrypto has SHA-1 and SHA-256");
  return context;
}

void feed(const Context& context, Bytes bytes) {
  check(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1,
        "libcrypto takes bytes until the digest is finished");
}

template <std::size_t kSize>
std::array<std::uint8_t, kSize> end(const Context& context) {
  std::array<std::uint8_t, kSize> bytes{};
  unsigned written = 0;
  check(EVP_DigestFinal_ex(context.get(), bytes.data(), &written) == 1 && written == kSize,
        "libcrypto finishes a digest once");
  return bytes;
}

constexpr std::size_t kSha1Bytes = 20;

}  // namespace

std::string Digest::hex() const {
  return to_hex(bytes);
}

std::optional<Digest> Digest::from_hex(std::string_view hex) {
  Digest digest;
  if (hex.size() != digest.bytes.size() * 2 || !is_lower_hex(hex)) return std::nullopt;
  const std::string bytes = qbuild::from_hex(hex);
  std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
  return digest;
}

struct Sha256::State {
  Context context = start(EVP_sha256());
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(Bytes bytes) {
  check(state_ != nullptr, "a SHA-256 is fed before it is finished");
  feed(state_->context, bytes);
}

Digest Sha256::finish() {
  check(state_ != nullptr, "a SHA-256 is finished once");
  const std::unique_ptr<State> state = std::move(state_);
  return Digest{end<32>(state->context)};
}

Digest sha256(Bytes bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Digest sha256(std::string_view text) {
  return sha256(as_bytes(text));
}

std::string git_blob_sha1(Bytes bytes) {
  const Context context = start(EVP_sha1());
  std::string header = "blob " + std::to_string(bytes.size());
  header.push_back('\0');
  feed(context, as_bytes(header));
  feed(context, bytes);
  return to_hex(end<kSha1Bytes>(context));
}

std::string sha1_hex(Bytes bytes) {
  const Context context = start(EVP_sha1());
  feed(context, bytes);
  return to_hex(end<kSha1Bytes>(context));
}

std::string xxh3_hex(Bytes bytes) {
  choose_vectors();
  return to_hex(XXH3_128bits(bytes.data(), bytes.size()));
}

struct Xxh3::State {
  Xxh3State xxh3{XXH3_createState()};
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) {
  choose_vectors();
  check(state_->xxh3 != nullptr && XXH3_128bits_reset(state_->xxh3.get()) == XXH_OK,
        "an XXH3 begins");
}
Xxh3::~Xxh3() = default;
Xxh3::Xxh3(Xxh3&&) noexcept = default;
Xxh3& Xxh3::operator=(Xxh3&&) noexcept = default;

void Xxh3::update(Bytes bytes) {
  check(XXH3_128bits_update(state_->xxh3.get(), bytes.data(), bytes.size()) == XXH_OK,
        "an XXH3 takes bytes");
}

std::string Xxh3::hex() const {
  return to_hex(XXH3_128bits_digest(state_->xxh3.get()));
}

}  // namespace qbuild
