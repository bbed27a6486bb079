// Errors are values: Result<T>, Status and TRY.
//
// An Error says what was tried ("open /x"), why it failed (an errno, or a kind), in which place of
// the input it stems from, and what else went wrong while cleaning up. Library code returns it;
// only a main() prints it (describe()). Text is lower case, "verb object", without a full stop.
//
// Result<T> is [[nodiscard]]. TRY(expr) yields the value or returns the error to the caller; it is
// an expression, so `auto fd = TRY(open_file(...));` reads as it runs.
#pragma once

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/try.hpp>

namespace warren::base {

// What a caller can do about it. The command line maps kinds to exit codes (cli/common).
enum class ErrorKind : unsigned char {
    Failed,       // the work was tried and failed
    Usage,        // the request itself is wrong: names, sizes, flags, unknown objects
    NotFound,     // the named object does not exist
    Exists,       // the named object exists already
    Busy,         // someone else holds it, or its state forbids the verb now
    Unsupported,  // this host cannot; the message names the remedy
    Corrupt,      // our own stored data is unreadable; it was set aside
};

class [[nodiscard]] Error {
public:
    // Says nothing: Outcome holds one beside every value.
    Error() = default;
    Error(ErrorKind kind, std::string what);
    Error(ErrorKind kind, int error_number, std::string what);

    [[nodiscard]] ErrorKind kind() const { return kind_; }

    // 0 when no system call stood behind the failure.
    [[nodiscard]] int error_number() const { return errno_; }

    [[nodiscard]] const std::string& what() const { return what_; }

    // The place in the input: a JSON pointer, "line 3", "option --memory"; empty when there is
    // none.
    [[nodiscard]] const std::string& place() const { return place_; }

    [[nodiscard]] const std::vector<std::string>& context() const { return context_; }

    [[nodiscard]] const std::vector<Error>& secondary() const { return secondary_; }

    // Builders, each returning the error itself so that they chain in a return statement.
    Error&& with_context(std::string text) &&;  // prepends "text: "
    Error&& with_place(std::string place) &&;
    Error&& with_secondary(Error other) &&;  // what failed in the clean-up after this
    void add_secondary(Error other);

    // One line: "context: place: what: strerror (also: ...)". Control characters are escaped.
    [[nodiscard]] std::string describe() const;

private:
    ErrorKind kind_ = ErrorKind::Failed;
    int errno_ = 0;
    std::string what_;
    std::string place_;
    std::vector<std::string> context_;  // outermost last
    std::vector<Error> secondary_;
};

namespace outcome = BOOST_OUTCOME_V2_NAMESPACE;

template <typename T>
using Result = outcome::basic_result<T, Error, outcome::policy::terminate>;
using Status = Result<void>;

[[nodiscard]] inline auto ok() {
    return outcome::success();
}

// The error of the system call that just failed, of kind Failed whatever the number: only the
// caller knows whether an ENOENT means that the user's object is missing. Reads errno: call it
// before anything else can.
[[nodiscard]] Error errno_error(std::string what);
[[nodiscard]] Error errno_error(int error_number, std::string what);
[[nodiscard]] Error usage_error(std::string what);
[[nodiscard]] Error fail(std::string what);

// Prepends context to the error of a result, and passes a value through.
template <typename T>
[[nodiscard]] Result<T> with_context(Result<T>&& result, std::string_view text) {
    if (!result) {
        return std::move(result).error().with_context(std::string(text));
    }
    return std::move(result);
}

// "text" with control characters (of Unicode too: C1, line separators, direction overrides) and
// bytes that are not UTF-8 escaped as \xNN: safe on one line of a terminal.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace warren::base

// __extension__: a statement expression, which g++ and clang both have; -Wpedantic would warn
// otherwise.
#define TRY(...) __extension__ BOOST_OUTCOME_TRYX(__VA_ARGS__)
