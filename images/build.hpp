// Pieces that the builds share.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "images/guest_files.hpp"
#include "images/tree_writer.hpp"

namespace warren::images {

[[nodiscard]] base::Status add_guest_files(TreeWriter& writer, const std::vector<GuestFile>& files);

}  // namespace warren::images
