#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

#include <fcntl.h>

#include "base/units.hpp"
#include "runtime/engine/guest_log.hpp"
#include "runtime/engine/join.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/views.hpp"
#include "runtime/engine/workers.hpp"

namespace warren::engine {

namespace {

// A guest whose records cannot be read still has its line in the list.
GuestView unreadable(const base::Name& name, const base::Error& error) {
    GuestView view;
    view.name = name.str();
    view.status = GuestStatus::Corrupt;
    view.problem = error.describe();
    return view;
}

template <typename View>
using Maybe = base::Result<std::optional<View>>;

Maybe<GuestView> view_of(const Context& context, const base::Name& name) {
    auto situation = observe(context, name);
    if (!situation) {
        return std::optional(unreadable(name, situation.error()));
    }
    if (!situation.value().exists()) {
        return std::optional<GuestView>();
    }
    return std::optional(TRY(make_view(context, name, std::move(situation).value())));
}

// Nothing when view_of() has to look closer, which may mean undoing what is left of a guest.
Maybe<GuestView> view_at_a_glance(const Context& context, const base::Name& name) {
    auto situation = glance(context, name);
    if (!situation) {
        return std::optional(unreadable(name, situation.error()));
    }
    if (!situation.value()) {
        return std::optional<GuestView>();
    }
    return std::optional(TRY(make_view(context, name, std::move(*situation.value()))));
}

// The same in brief.
Maybe<GuestBrief> brief_at_a_glance(const Context& context, const base::Name& name) {
    auto run = glance_at_run(context, name);
    if (!run) {
        return std::optional<GuestBrief>(unreadable(name, run.error()));
    }
    if (!run.value()) {
        return std::optional<GuestBrief>(TRY(view_at_a_glance(context, name)));
    }
    auto& summary = run.value()->summary;
    return std::optional(make_brief(std::move(*run.value()), std::move(*summary)));
}

// Calls `work` for 0..count-1, on all processors when there is enough for them. For what only reads: the threads are
// gone when it returns, so that whoever clones later has one.
template <typename Work>
void share_among_threads(std::size_t count, const Work& work) {
    constexpr std::size_t kChunk = 32;
    std::atomic<std::size_t> next{0};
    const auto take = [&] {
        for (std::size_t begin = 0; (begin = next.fetch_add(kChunk)) < count;) {
            for (std::size_t i = begin; i < std::min(count, begin + kChunk); ++i) {
                work(i);
            }
        }
    };
    std::vector<std::jthread> others;
    const std::size_t threads = std::min(worker_count(count), count / kChunk);
    try {
        while (others.size() + 1 < threads) {
            others.emplace_back(take);
        }
    } catch (const std::system_error&) {
        // Fewer have to do.
    }
    take();
}

bool is_status_name(const std::string& text) {
    for (auto status = GuestStatus::Creating;;
         status = static_cast<GuestStatus>(static_cast<std::uint8_t>(status) + 1)) {
        if (engine::name(status) == text) {
            return true;
        }
        if (status == GuestStatus::Corrupt) {
            return false;
        }
    }
}

constexpr std::string_view kLabel = "label";

base::Result<bool> matches(const GuestBrief& view, const Filter& filter) {
    const auto& [key, value] = filter;
    if (key == "name") {
        return view.name == value;
    }
    if (key == "status") {
        if (!is_status_name(value)) {
            return base::usage_error("unknown status " + base::printable(value) + " in filter");
        }
        return engine::name(view.status) == value;
    }
    if (key == "image") {
        return view.image == value;
    }
    return base::usage_error("unknown filter " + base::printable(key) +
                             " (known: name, status, image, label)");
}

base::Result<bool> matches(const GuestView& view, const Filter& filter) {
    const auto& [key, value] = filter;
    if (key != kLabel) {
        return matches(static_cast<const GuestBrief&>(view), filter);
    }
    const auto equals = value.find('=');
    const auto label = view.config.labels.find(value.substr(0, equals));
    return label != view.config.labels.end() &&
           (equals == std::string::npos || label->second == value.substr(equals + 1));
}

template <typename View>
base::Result<bool> matches_all(const View& view, const Filters& filters) {
    bool all = true;
    for (const auto& filter : filters) {
        const bool one = TRY(matches(view, filter));
        all = all && one;
    }
    return all;
}

// All guests there are that match. Each is shown at a glance, and where that shows nothing by view_of().
template <typename View, typename Glance>
base::Result<std::vector<View>> look_at_all(const Context& context,
                                            const Filters& filters,
                                            const Glance& at_a_glance) {
    TRY(matches_all(View{}, filters));  // an unknown key is refused on an empty host as well
    const auto names = TRY(context.store.guest_names());
    sweep(context, names);
    std::vector<Maybe<View>> seen(names.size(), std::optional<View>());
    share_among_threads(names.size(),
                        [&](std::size_t i) { seen[i] = at_a_glance(context, names[i]); });
    std::vector<View> views;
    views.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::optional<View> view = TRY(std::move(seen[i]));
        if (!view) {
            view = TRY(view_of(context, names[i]));
        }
        if (view && TRY(matches_all(*view, filters))) {
            views.push_back(std::move(*view));
        }
    }
    return views;
}

}  // namespace

base::Result<std::vector<GuestView>> Engine::list(const Filters& filters) {
    return look_at_all<GuestView>(context(), filters, view_at_a_glance);
}

base::Result<std::vector<GuestBrief>> Engine::list_brief(const Filters& filters) {
    const bool by_label = std::any_of(filters.begin(), filters.end(), [](const Filter& filter) {
        return filter.first == kLabel;
    });
    if (!by_label) {
        return look_at_all<GuestBrief>(context(), filters, brief_at_a_glance);
    }
    auto views = TRY(list(filters));
    return std::vector<GuestBrief>(std::make_move_iterator(views.begin()),
                                   std::make_move_iterator(views.end()));
}

base::Result<GuestView> Engine::inspect(const base::Name& name) {
    const Context context = this->context();
    const auto situation = TRY(observe(context, name));
    if (!situation.exists()) {
        return unknown_guest(name);
    }
    trim_log(context, name);
    return make_view(context, name, situation);
}

base::Result<StatsView> Engine::stats(const base::Name& name) {
    const Context context = this->context();
    const auto situation = TRY(observe(context, name));
    if (!situation.exists()) {
        return unknown_guest(name);
    }
    StatsView view;
    view.name = name.str();
    view.status = situation.status();
    if (situation.run) {
        const auto cgroup = TRY(cgroups::Cgroup::open(host_.cgroup, situation.run->cgroup));
        view.stats = TRY(cgroup.stats());
    }
    return view;
}

base::Status Engine::logs(const LogRequest& request, int out_fd) {
    const Context context = this->context();
    const auto situation = TRY(observe(context, request.name));
    if (!situation.exists()) {
        return unknown_guest(request.name);
    }
    const auto alive = [&]() {
        const auto now = observe(context, request.name);
        return now && now.value().run.has_value();
    };
    return write_log(context, request.name, request.last_lines, request.follow, out_fd, alive);
}

}  // namespace warren::engine
