#pragma once
// SHA-256, which names content and keys, and SHA-1 for git's blob names. libcrypto behind it.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace qbuild {

// A SHA-256. A default one is all zeros and means "none".
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  auto operator<=>(const Digest&) const = default;
  [[nodiscard]] bool empty() const { return *this == Digest{}; }
  // 64 lower-case hex digits.
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] static std::optional<Digest> from_hex(std::string_view hex);
};

// Feed any number of pieces, then finish once. Not for several threads at once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(Bytes bytes);
  void update(std::string_view text) { update(as_bytes(text)); }
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] Digest sha256(Bytes bytes);
[[nodiscard]] Digest sha256(std::string_view text);

// 40 hex digits of SHA-1 over "blob <size>\0<bytes>": how git and the Hub name a regular file.
[[nodiscard]] std::string git_blob_sha1(Bytes bytes);
// 40 hex digits of the plain SHA-1.
[[nodiscard]] std::string sha1_hex(Bytes bytes);

// XXH3-128 as 32 hex digits: checksums where nothing is at stake but accidents.
[[nodiscard]] std::string xxh3_hex(Bytes bytes);

// The same of bytes that come in pieces. Not for several threads at once.
class Xxh3 {
 public:
  Xxh3();
  ~Xxh3();
  Xxh3(Xxh3&&) noexcept;
  Xxh3& operator=(Xxh3&&) noexcept;

  void update(Bytes bytes);
  // 32 hex digits over what came so far; more may follow.
  [[nodiscard]] std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qbuild
