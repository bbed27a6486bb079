// One line on a terminal that says what is being worked on and for how long, once the work takes longer than a second.
//
// It is drawn by a process of its own: the work blocks in system calls, and a program that clones guests has one thread.
// The process ends with this object, or when the program dies: it reads a socket that only the program holds open.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/pidref.hpp"

namespace warren::cli {

class Progress {
public:
    // Draws on `terminal` (borrowed); -1 draws nothing and starts no process. Without a process nothing is drawn: no error.
    Progress(int terminal, std::string_view title);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    Progress(Progress&&) = delete;
    Progress& operator=(Progress&&) = delete;
    ~Progress();

    // Replaces the title. May be called often: it reaches the terminal at most some times a second.
    void update(std::string_view text);
    // Wipes the line; later updates draw nothing.
    void finish();

private:
    base::Fd to_drawer_;
    base::PidRef drawer_;
    std::chrono::steady_clock::time_point last_{};
};

}  // namespace warren::cli
