// image.json on the disk.
#pragma once

#include "base/json.hpp"
#include "images/image.hpp"

namespace warren::images {

inline constexpr const char* kImageFile = "image.json";

// With the schema version. `name` is where it was found, and has to be what it says.
[[nodiscard]] std::string dump_image_file(const ImageInfo& info);
[[nodiscard]] base::Result<ImageInfo> parse_image_file(std::string_view text,
                                                       const base::Name& name);

}  // namespace warren::images
