// error: wire_codec<T> needs write(), read() that returns bool, and describe()
#include <troupe/node/wire.hpp>

struct celsius {
  double degrees = 0;
};

template <>
struct troupe::wire_codec<celsius> {
  static void write(wire_writer& to, const celsius& t) { write_part(to, t.degrees); }
  static bool read(wire_reader& from, celsius& t) { return read_part(from, t.degrees); }
#ifdef RIGHT
  static void describe(wire_layout& to) { describe_part<double>(to); }
#endif
};

std::string use(const celsius& m) { return troupe::to_wire(m); }
