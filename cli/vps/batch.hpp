// What the verbs over many guests share: which guests, progress, one line a failure, and the exit code.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "cli/common/exit_code.hpp"
#include "cli/vps/app.hpp"

namespace warren::cli {

// Takes each guest's outcome: prints the name of one that is done, or one line "warren: VERB NAME: text".
// With --json the outcomes are printed as one array at the end.
class BatchReport {
public:
    // `names`: all that will be reported.
    BatchReport(const App& app, std::string_view verb, const std::vector<base::Name>& names);
    void add(const base::Name& name, const base::Status& status);
    // One guest: its error's exit code. More: 1 when any failed.
    [[nodiscard]] int finish();

private:
    struct Outcome {
        std::string name;
        std::optional<std::string> error;
    };

    const App& app_;
    std::string verb_;
    std::size_t total_;
    std::size_t seen_ = 0;
    int code_ = kExitDone;
    std::vector<Outcome> outcomes_;
    std::unique_ptr<Progress> progress_;
};

using BatchWork = std::function<void(
    engine::Engine& engine, const std::vector<base::Name>& names, const engine::OnOutcome& done)>;

// kBatchGroup and the operands -> engine -> outcomes.
[[nodiscard]] base::Result<int> run_batch(App& app,
                                          const Arguments& arguments,
                                          std::string_view verb,
                                          const BatchWork& work);

}  // namespace warren::cli
