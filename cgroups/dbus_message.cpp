#include "cgroups/dbus_message.hpp"

#include <bit>
#include <utility>

namespace warren::cgroups {

namespace {

constexpr char kOurOrder = std::endian::native == std::endian::little ? 'l' : 'B';
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kAlignment = 8;
// The specification allows 128 MiB; systemd's signals have kilobytes.
constexpr std::size_t kMaxSize = 16U << 20;

// Header fields.
enum class Field : std::uint8_t {
    Path = 1,
    Interface = 2,
    Member = 3,
    ErrorName = 4,
    ReplySerial = 5,
    Destination = 6,
    Sender = 7,
    Signature = 8,
};

base::Error malformed() {
    return base::fail("read a message of D-Bus: malformed");
}

std::size_t padded(std::size_t size, std::size_t to) {
    return (size + to - 1) / to * to;
}

void put_field(DbusWriter& out, Field code, std::string_view type, const std::string& value) {
    if (value.empty()) {
        return;
    }
    out.align(kAlignment);
    out.number(static_cast<std::uint8_t>(code));
    out.signature(type);
    if (type == "g") {
        out.signature(value);
    } else {
        out.string(value);
    }
}

// One field's value, of the types that fields have; those that we do not know are passed over.
base::Status read_field(DbusReader& in, DbusMessage& message) {
    TRY(in.align(kAlignment));
    const auto code = static_cast<Field>(TRY(in.number<std::uint8_t>()));
    const auto type = TRY(in.signature());
    if (type == "u") {
        const auto value = TRY(in.number<std::uint32_t>());
        if (code == Field::ReplySerial) {
            message.reply_serial = value;
        }
        return base::ok();
    }
    if (type == "g") {
        auto value = TRY(in.signature());
        if (code == Field::Signature) {
            message.signature = std::move(value);
        }
        return base::ok();
    }
    if (type != "s" && type != "o") {
        return malformed();
    }
    auto value = TRY(in.string());
    const std::pair<Field, std::string*> places[] = {{Field::Path, &message.path},
                                                     {Field::Interface, &message.interface},
                                                     {Field::Member, &message.member},
                                                     {Field::ErrorName, &message.error_name},
                                                     {Field::Destination, &message.destination},
                                                     {Field::Sender, &message.sender}};
    for (const auto& [field, place] : places) {
        if (code == field) {
            *place = std::move(value);
            return base::ok();
        }
    }
    return base::ok();
}

}  // namespace

void DbusWriter::align(std::size_t to) {
    bytes_.resize(padded(bytes_.size(), to), '\0');
}

void DbusWriter::string(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    bytes_ += '\0';
}

void DbusWriter::signature(std::string_view value) {
    number(static_cast<std::uint8_t>(value.size()));
    bytes_ += value;
    bytes_ += '\0';
}

base::Status DbusReader::align(std::size_t to) {
    const std::size_t at = padded(at_, to);
    if (at > bytes_.size()) {
        return malformed();
    }
    at_ = at;
    return base::ok();
}

base::Result<std::string_view> DbusReader::take(std::size_t count) {
    if (count > bytes_.size() - at_) {
        return malformed();
    }
    const auto bytes = bytes_.substr(at_, count);
    at_ += count;
    return bytes;
}

base::Result<std::string> DbusReader::string() {
    const std::size_t size = TRY(number<std::uint32_t>());
    const auto bytes = TRY(take(size));
    if (TRY(take(1)).front() != '\0') {
        return malformed();
    }
    return std::string(bytes);
}

base::Result<std::string> DbusReader::signature() {
    const std::size_t size = TRY(number<std::uint8_t>());
    const auto bytes = TRY(take(size));
    if (TRY(take(1)).front() != '\0') {
        return malformed();
    }
    return std::string(bytes);
}

base::Result<std::size_t> dbus_size(std::string_view fixed_header) {
    DbusReader in(fixed_header);
    const auto first = TRY(in.take(4));
    if (first[0] != kOurOrder || first[3] != char{kVersion}) {
        return malformed();
    }
    const std::size_t body = TRY(in.number<std::uint32_t>());
    TRY(in.number<std::uint32_t>());
    const std::size_t fields = TRY(in.number<std::uint32_t>());
    const std::size_t size = padded(kDbusFixedHeader + fields, kAlignment) + body;
    return size > kMaxSize ? base::Result<std::size_t>(malformed()) : size;
}

std::string to_bytes(const DbusMessage& message) {
    DbusWriter out;
    out.number(kOurOrder);
    out.number(static_cast<std::uint8_t>(message.type));
    out.number(std::uint8_t{0});  // no flags
    out.number(kVersion);
    out.number(static_cast<std::uint32_t>(message.body.size()));
    out.number(message.serial);
    out.array(kAlignment, [&] {
        put_field(out, Field::Path, "o", message.path);
        put_field(out, Field::Interface, "s", message.interface);
        put_field(out, Field::Member, "s", message.member);
        put_field(out, Field::ErrorName, "s", message.error_name);
        if (message.reply_serial != 0) {
            out.align(kAlignment);
            out.number(static_cast<std::uint8_t>(Field::ReplySerial));
            out.signature("u");
            out.number(message.reply_serial);
        }
        put_field(out, Field::Destination, "s", message.destination);
        put_field(out, Field::Sender, "s", message.sender);
        put_field(out, Field::Signature, "g", message.signature);
    });
    out.align(kAlignment);
    out.raw(message.body);
    return out.bytes();
}

base::Result<DbusMessage> message_from_bytes(std::string_view bytes) {
    if (TRY(dbus_size(bytes)) != bytes.size()) {
        return malformed();
    }
    DbusReader in(bytes);
    const auto type = static_cast<std::uint8_t>(TRY(in.take(4))[1]);
    DbusMessage message;
    message.type = static_cast<DbusType>(type);
    const std::size_t body = TRY(in.number<std::uint32_t>());
    message.serial = TRY(in.number<std::uint32_t>());
    const std::size_t fields = TRY(in.number<std::uint32_t>());
    while (in.position() < kDbusFixedHeader + fields) {
        TRY(read_field(in, message));
    }
    TRY(in.align(kAlignment));
    message.body = std::string(TRY(in.take(body)));
    return message;
}

}  // namespace warren::cgroups
