#include "base/json_plain.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace warren::base {

namespace {

constexpr bool is_plain(char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Each member function reads what its name says at the cursor and answers false when that is not there, or not plain.
class PlainParser {
public:
    PlainParser(std::string_view text, std::size_t max_depth)
        : at_(text.data()), end_(text.data() + text.size()), depth_left_(max_depth) {}

    [[nodiscard]] bool document(Json& value) {
        skip_blanks();
        if (!this->value(value)) {
            return false;
        }
        skip_blanks();
        return at_ == end_;
    }

private:
    using Member = std::pair<std::string, Json>;

    void skip_blanks() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) {
            ++at_;
        }
    }

    [[nodiscard]] bool take(char wanted) {
        if (at_ == end_ || *at_ != wanted) {
            return false;
        }
        ++at_;
        return true;
    }

    [[nodiscard]] bool take(std::string_view word) {
        if (static_cast<std::size_t>(end_ - at_) < word.size() ||
            std::string_view(at_, word.size()) != word) {
            return false;
        }
        at_ += word.size();
        return true;
    }

    [[nodiscard]] bool value(Json& out) {
        if (at_ == end_) {
            return false;
        }
        switch (*at_) {
            case '{':
                return object(out);
            case '[':
                return array(out);
            case '"':
                out = Json(Json::string_t());
                return string(out.get_ref<std::string&>());
            case 't':
                out = true;
                return take("true");
            case 'f':
                out = false;
                return take("false");
            case 'n':
                out = nullptr;
                return take("null");
            default:
                return number(out);
        }
    }

    [[nodiscard]] bool number(Json& out) {
        const bool negative = take('-');
        const std::ptrdiff_t digits_max =
            negative ? 18 : 19;  // surely 64 bits, with and without a sign
        const char* const first = at_;
        std::uint64_t number = 0;
        for (; at_ != end_ && is_digit(*at_) && at_ - first <= digits_max; ++at_) {
            number = number * 10 + static_cast<std::uint64_t>(*at_ - '0');
        }
        const auto digits = at_ - first;
        const bool is_fraction = at_ != end_ && (*at_ == '.' || *at_ == 'e' || *at_ == 'E');
        if (digits == 0 || digits > digits_max || (*first == '0' && digits > 1) || is_fraction) {
            return false;
        }
        if (negative) {
            out = -static_cast<std::int64_t>(number);
        } else {
            out = number;
        }
        return true;
    }

    [[nodiscard]] bool string(std::string& out) {
        if (!take('"')) {
            return false;
        }
        for (;;) {
            const char* const first = at_;
            while (at_ != end_ && is_plain(*at_)) {
                ++at_;
            }
            out.append(first, at_);
            if (take('"')) {
                return true;
            }
            if (!escape(out)) {
                return false;
            }
        }
    }

    [[nodiscard]] bool escape(std::string& out) {
        constexpr std::string_view kLetters = "\"\\/bfnrt";
        constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
        if (!take('\\') || at_ == end_) {
            return false;
        }
        const auto which = kLetters.find(*at_++);
        if (which == std::string_view::npos) {
            return false;
        }
        out += kMeant[which];
        return true;
    }

    [[nodiscard]] bool array(Json& out) {
        out = Json::array();
        auto& items = out.get_ref<Json::array_t&>();
        return list(']', [&] { return value(items.emplace_back()); });
    }

    // The members wait at the end of one vector for all levels until their number is known: the library's object copies
    // all it has, values and what is in them, each time it grows.
    [[nodiscard]] bool object(Json& out) {
        const std::size_t first = members_.size();
        const bool whole = list('}', [&] {
            std::string key;
            if (!string(key)) {
                return false;
            }
            skip_blanks();
            if (!take(':')) {
                return false;
            }
            skip_blanks();
            Json item;
            if (!value(item)) {
                return false;
            }
            members_.emplace_back(std::move(key), std::move(item));
            return true;
        });
        if (!whole || has_twins(first)) {
            return false;
        }
        out = Json::object();
        auto& object = out.get_ref<Json::object_t&>();
        object.reserve(members_.size() - first);
        for (std::size_t i = first; i < members_.size(); ++i) {
            object.emplace_back(std::move(members_[i].first), std::move(members_[i].second));
        }
        members_.resize(first);
        return true;
    }

    // Opening bracket, items with commas between them, closing bracket.
    template <typename Item>
    [[nodiscard]] bool list(char closing, const Item& item) {
        if (depth_left_ == 0) {
            return false;
        }
        --depth_left_;
        ++at_;
        skip_blanks();
        bool more = !take(closing);
        while (more) {
            if (!item()) {
                return false;
            }
            skip_blanks();
            more = take(',');
            if (!more && !take(closing)) {
                return false;
            }
            skip_blanks();
        }
        ++depth_left_;
        return true;
    }

    [[nodiscard]] bool has_twins(std::size_t first) const {
        constexpr std::size_t kFew =
            32;  // keys mostly differ in length, and then a comparison is nothing
        if (members_.size() - first <= kFew) {
            for (std::size_t i = first; i < members_.size(); ++i) {
                for (std::size_t j = first; j < i; ++j) {
                    if (members_[i].first == members_[j].first) {
                        return true;
                    }
                }
            }
            return false;
        }
        std::vector<std::string_view> keys;
        keys.reserve(members_.size() - first);
        for (std::size_t i = first; i < members_.size(); ++i) {
            keys.emplace_back(members_[i].first);
        }
        std::sort(keys.begin(), keys.end());
        return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
    }

    const char* at_;
    const char* end_;
    std::size_t depth_left_;
    std::vector<Member> members_;
};

}  // namespace

std::optional<Json> parse_plain_json(std::string_view text, std::size_t max_depth) {
    Json value;
    if (!PlainParser(text, max_depth).document(value)) {
        return std::nullopt;
    }
    return value;
}

}  // namespace warren::base
