// One stream by the system's OpenSSL: assembler for CPUs without instructions for SHA-256.
//
// EVP keeps its state to itself. The calls below are older and deprecated, and work on eight words that can be set and read.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "digest/sha256_backend.h"

#include <openssl/sha.h>

#include <algorithm>

namespace drover {

void sha256_compress_openssl(const Sha256Lane* lanes, std::size_t count) {
  SHA256_CTX context{};
  context.md_len = SHA256_DIGEST_LENGTH;
  std::copy_n(lanes->state, 8, context.h);
  SHA256_Update(&context, lanes->blocks, count * 64);  // whole blocks: nothing stays in its buffer
  std::copy_n(context.h, 8, lanes->state);
}

}  // namespace drover
