#include "status.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace seglog {
namespace {

TEST(Status, OkIsEmptyAndNamed) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), ErrorCode::kOk);
  EXPECT_EQ(status.ToString(), "OK");
}

TEST(Status, EveryCodeHasTheNameOfTheTable) {
  EXPECT_STREQ(ErrorCodeName(ErrorCode::kOk), "OK");
#define SEGLOG_ERROR(Name, code, retriable, advice) EXPECT_STREQ(ErrorCodeName(ErrorCode::k##Name), code);
#include "errors.def"
#undef SEGLOG_ERROR
}

TEST(Status, MapsErrno) {
  const std::pair<int, ErrorCode> expected[] = {
      {ENOSPC, ErrorCode::kNoSpace},      {EDQUOT, ErrorCode::kNoSpace},
      {EMFILE, ErrorCode::kTooManyFiles}, {ENFILE, ErrorCode::kTooManyFiles},
      {ENOENT, ErrorCode::kNotFound},     {ENOTDIR, ErrorCode::kNotDirectory},
      {EACCES, ErrorCode::kAccessDenied}, {EPERM, ErrorCode::kAccessDenied},
      {EROFS, ErrorCode::kAccessDenied},  {EIO, ErrorCode::kIo},
      {EEXIST, ErrorCode::kIo},
  };
  for (const auto& [sys_errno, code] : expected) {
    const Status status = Status::FromErrno(sys_errno, "cannot write", "/d/f");
    EXPECT_EQ(status.code(), code) << sys_errno;
    EXPECT_EQ(status.detail().sys_errno, sys_errno);
  }
}

TEST(Status, SaysWhatAndWhere) {
  Status status = Status::Error(ErrorCode::kCorrupt, "bad CRC", "/d/0.log");
  status.At(4096, 17);
  EXPECT_EQ(status.ToString(), "CORRUPT_LOG: bad CRC [/d/0.log] at position 4096 at offset 17");
}

TEST(Status, CopiesAreValues) {
  const Status original = Status::Error(ErrorCode::kIo, "x");
  Status copy = original;
  copy.At(5, 6);
  EXPECT_EQ(copy.detail().position, 5);
  EXPECT_EQ(original.detail().position, -1);
}

TEST(Result, HoldsAValueOrAStatus) {
  Result<std::unique_ptr<int>> good(std::make_unique<int>(7));
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(**good, 7);
  EXPECT_TRUE(good.status().ok());
  Result<std::unique_ptr<int>> bad(Status::Error(ErrorCode::kCold, "cold"));
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().code(), ErrorCode::kCold);
}

}  // namespace
}  // namespace seglog
