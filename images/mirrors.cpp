#include "images/mirrors.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string_view>

#include <fcntl.h>

#include "base/excerpt.hpp"
#include "base/fd.hpp"
#include "images/host_apt.hpp"
#include "images/lines.hpp"

namespace warren::images {
namespace {

constexpr const char* kLists = "/usr/share/python-apt/templates/";

std::string environment(const std::string& name) {
    const char* value = getenv(name.c_str());
    return value == nullptr ? std::string() : std::string(value);
}

std::string without_slash(std::string uri) {
    while (uri.ends_with('/')) {
        uri.pop_back();
    }
    return uri;
}

void fill(std::string& mirror, const std::string& with) {
    if (mirror.empty()) {
        mirror = without_slash(with);
    }
}

void fill(Mirrors& mirrors, const Mirrors& with) {
    fill(mirrors.archive, with.archive);
    fill(mirrors.security, with.security);
}

// A paragraph of a list: the first value of each key. Keys that come again describe what is above.
using Paragraph = std::map<std::string, std::string>;

void read_line(Paragraph& paragraph, const std::string& line) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos || line.starts_with('#')) {
        return;
    }
    std::string value = line.substr(colon + 2);
    const std::size_t last = value.find_last_not_of(" \t\r");
    value.erase(last == std::string::npos ? 0 : last + 1);
    paragraph.emplace(line.substr(0, colon), std::move(value));
}

std::string value_of(const Paragraph& paragraph, const std::string& key) {
    const auto found = paragraph.find(key);
    return found == paragraph.end() ? std::string() : found->second;
}

void take_paragraph(const Paragraph& paragraph, const std::string& architecture, Mirrors& found) {
    if (value_of(paragraph, "RepositoryType") != "deb" ||
        value_of(paragraph, "Official") == "false") {
        return;
    }
    std::string uri = value_of(paragraph, "BaseURI-" + architecture);
    if (uri.empty()) {
        uri = value_of(paragraph, "BaseURI");
    }
    if (uri.find("://") == std::string::npos) {
        return;  // a disc
    }
    const std::string suite = value_of(paragraph, "Suite");
    if (suite == "{series}") {
        fill(found.archive, uri);
    } else if (suite == "{series}-security") {
        fill(found.security, uri);
    }
}

// Debian's and Ubuntu's archives are of the same kind, but only they.
const char* title(Family family) {
    return family == Family::Ubuntu ? "Ubuntu" : "Debian";
}

std::string variable(Family family) {
    return family == Family::Ubuntu ? "WARREN_UBUNTU_" : "WARREN_DEBIAN_";
}

base::Status check_mirror(const std::string& uri,
                          const std::string& what,
                          const std::string& name) {
    if (uri.empty()) {
        return base::Error(base::ErrorKind::Unsupported,
                           "no mirror of " + what + " is known: set " + name +
                               ", or apt-get install python-apt-common, which lists mirrors");
    }
    const bool is_plain = std::all_of(uri.begin(), uri.end(), [](char c) {
        return c > ' ' && c < '\x7f' && c != '[' && c != ']';
    });
    if (!is_plain || uri.find(":/") == std::string::npos) {
        return base::usage_error("mirror \"" + base::excerpt(uri) + "\" of " + what +
                                 " is no address (" + name + ")");
    }
    return base::ok();
}

std::string without_user(const std::string& uri) {
    const std::size_t slashes = uri.find("://");
    if (slashes == std::string::npos) {
        return uri;
    }
    const std::size_t start = slashes + 3;
    const std::size_t end = std::min(uri.find('/', start), uri.size());
    const std::size_t at = uri.substr(0, end).rfind('@');
    return at == std::string::npos || at < start ? uri : uri.substr(0, start) + uri.substr(at + 1);
}

}  // namespace

Mirrors parse_mirror_list(const std::string& text, const std::string& architecture) {
    Mirrors found;
    Paragraph paragraph;
    for_each_line(text, [&](const std::string& line) {
        if (!line.empty()) {
            read_line(paragraph, line);
            return;
        }
        take_paragraph(paragraph, architecture, found);
        paragraph.clear();
    });
    take_paragraph(paragraph, architecture, found);
    return found;
}

Mirrors parse_index_targets(const std::string& text, Family family) {
    Mirrors found;
    for_each_line(text, [&](const std::string& line) {
        const std::size_t space = line.find(' ');
        if (space == std::string::npos) {
            return;
        }
        const std::string label = line.substr(0, space);
        if (label == title(family)) {
            fill(found.archive, line.substr(space + 1));
        } else if (family != Family::Ubuntu && label == "Debian-Security") {
            fill(found.security, line.substr(space + 1));
        }
    });
    return found;
}

base::Result<Mirrors> check_mirrors(Family family, Mirrors found) {
    const std::string name = title(family);
    TRY(check_mirror(found.archive, name, variable(family) + "MIRROR"));
    if (family == Family::Ubuntu) {
        fill(found.security, found.archive);  // each of its mirrors has the updates too
    }
    TRY(check_mirror(
        found.security, name + "'s security updates", variable(family) + "SECURITY_MIRROR"));
    return found;
}

base::Result<Mirrors> choose_mirrors(Family family, const std::string& architecture) {
    Mirrors mirrors;
    fill(mirrors,
         {environment(variable(family) + "MIRROR"),
          environment(variable(family) + "SECURITY_MIRROR")});
    fill(mirrors, parse_index_targets(index_targets(), family));
    if (const auto list =
            base::read_file_at(AT_FDCWD, std::string(kLists) + title(family) + ".info")) {
        fill(mirrors, parse_mirror_list(list.value(), architecture));
    }
    return check_mirrors(family, std::move(mirrors));
}

Mirrors public_mirrors(const Mirrors& mirrors) {
    return {without_user(mirrors.archive), without_user(mirrors.security)};
}

}  // namespace warren::images
