// Seals itself, says so on one line, and waits for the end of its input.
#include <iostream>
#include <string>

#include "isolation/sealed_program.hpp"

int main(int argc, char** argv) {
    const auto sealed = warren::isolation::seal_program();
    if (!sealed) {
        std::cout << sealed.error().describe() << std::endl;
        return 1;
    }
    std::cout << (warren::isolation::program_is_sealed() ? "sealed" : "open");
    for (int i = 1; i < argc; ++i) {
        std::cout << ' ' << argv[i];
    }
    std::cout << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
    }
    return 0;
}
