#include "net/raw_answer.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace drover::net {
BOOST_AUTO_TEST_SUITE(raw_answer)

namespace {

struct Row {
  std::string bytes;
  std::string result;  // "<status> <body>", or "-"

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.bytes; }
};

const std::vector<Row> rows = {
    {"HTTP/1.1 400 Bad\r\nContent-Length: 3\r\n\r\nwhyNOT", "400 why"},
    {"HTTP/1.1 400 Bad\r\n\r\nwhy", "400 why"},
    {"HTTP/1.0 500 Bad\r\nContent-Length: 10\r\n\r\ncut", "500 cut"},
    {"HTTP/1.1 413 Bad\r\nContent-Length: 0\r\n\r\n", "413 "},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Bad\r\n\r\nx", "413 x"},
    {"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwhy\r\n4;x=y\r\n not\r\n0\r\n\r\n", "400 why not"},
    {"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nwhy", "400 why"},
    {"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nwhy", "400 "},
    {"HTTP/1.1 307 Elsewhere\r\nLocation: /x\r\n\r\n", "307 "},
    {"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", "-"},
    {"HTTP/1.1 400 Bad\r\nContent-Length: 3\r\n", "-"},
    {"HTTP/1.1 100 Continue\r\n\r\n", "-"},
    {"HTTP/1.1 100 Continue", "-"},
    {"SSH-2.0\r\n\r\n", "-"},
    {"HTTP/1.1", "-"},
    {"", "-"},
};

struct Sink final : ResponseSink {
  std::string text = "-";
  bool on_head(const ResponseHead& head) override {
    text = std::to_string(head.status) + " ";
    return true;
  }
  bool on_body(std::span<const std::byte> bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  }
};

BOOST_DATA_TEST_CASE(refusals_are_found_in_what_was_left, rows) {
  const Request request{.method = "PUT", .body = "x"};
  Sink sink;
  Exchange exchange(request, sink, "peer");

  BOOST_TEST(deliver_raw_refusal(sample.bytes, exchange) == (sample.result != "-"));
  BOOST_TEST(sink.text == sample.result);
  BOOST_TEST(!exchange.failure());
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drover::net
