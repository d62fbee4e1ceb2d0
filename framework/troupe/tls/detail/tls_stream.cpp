#include <troupe/tls/detail/tls_stream.hpp>

#include <algorithm>
#include <new>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <fmt/format.h>

#include <troupe/task/context.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/tls/detail/flusher.hpp>

namespace troupe::inline v0_1::tls::detail {

namespace {

constexpr std::size_t max_outgoing_bytes = 64 * 1024;
constexpr std::size_t max_record_bytes = 16 * 1024;
constexpr std::size_t max_bytes_per_try = 64 * 1024;  // The reader shall have its turn at the SSL.
constexpr std::uint32_t max_barren_bytes = 1024 * 1024;

bool is_address(const std::string& host) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

}  // namespace

/// The functions of our BIO.
struct wire_bio {
  static tls_stream& of(BIO* bio) { return *static_cast<tls_stream*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    int count = of(bio).pull(into, size);
    if (count == 0) BIO_set_retry_read(bio);
    return count == 0 ? -1 : count;
  }
  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    int count = of(bio).push(from, size);
    if (count == 0) BIO_set_retry_write(bio);
    return count == 0 ? -1 : count;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO* make(tls_stream& of) {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "troupe stream");
      if (made == nullptr) throw std::bad_alloc{};
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    BIO* made = BIO_new(method);
    if (made == nullptr) throw std::bad_alloc{};
    BIO_set_data(made, &of);
    BIO_set_init(made, 1);
    return made;
  }
};

/// The mutex, for a step that may send. A flusher that this needs is spawned when it is free again.
class tls_stream::turn {
public:
  explicit turn(tls_stream& of) noexcept : of_{of}, guard_{of.mutex_} { ERR_clear_error(); }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() {
    bool wants_flusher = std::exchange(of_.wants_flusher_, false);
    guard_.unlock();
    if (wants_flusher) of_.start_flusher();
  }

private:
  tls_stream& of_;
  pal::lock guard_;
};

tls_stream::tls_stream(io::stream below, std::shared_ptr<context_core> with, std::string host)
    : context_{std::move(with)},
      below_{std::move(below)},
      host_{std::move(host)},
      ssl_{context_->make_ssl()} {
  BIO* bio = wire_bio::make(*this);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  if (context_->is_server()) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    prepare_client();
  }
}

void tls_stream::prepare_client() {
  SSL* ssl = ssl_.get();
  bool is_numeric = is_address(host_);
  if (!is_numeric) SSL_set_tlsext_host_name(ssl, host_.c_str());
  if (context_->checks_names()) {
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int is_set = is_numeric ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host_.c_str())
                            : X509_VERIFY_PARAM_set1_host(wanted, host_.data(), host_.size());
    if (is_set != 1) throw std::bad_alloc{};
  }
  if (session_ptr known = context_->sessions().take(host_)) SSL_set_session(ssl, known.get());
}

int tls_stream::on_new_session(SSL* ssl, SSL_SESSION* session) noexcept {
  auto& self = *static_cast<tls_stream*>(SSL_get_app_data(ssl));
  session_ptr kept{session};
  try {
    self.context_->sessions().put(self.host_, std::move(kept));
  } catch (const std::bad_alloc&) {
    // It has been freed with what was to hold it; the next connection does all the work.
  }
  return 1;
}

// ---- what OpenSSL calls; the mutex is held

// Returns: 0 when there is nothing now, -1 when there will be nothing more.
int tls_stream::pull(char* into, int size) noexcept {
  if (!may_pull_) return 0;  // R2
  io::attempt<std::size_t> taken = below_.device().try_read(
      std::as_writable_bytes(std::span{into, static_cast<std::size_t>(size)}));
  if (!taken) return 0;
  if (taken->has_error()) {
    pull_error_ = taken->error();
    return -1;
  }
  if (**taken == 0) {
    has_ended_below_ = true;
    return -1;
  }
  if (!has_begun_) {
    // A record of the handshake, or for a client also an alert. Told from the first byte, a client
    // that waits for an answer to its plain text need not wait for the limit.
    has_begun_ = true;
    first_byte_ = static_cast<unsigned char>(into[0]);
    is_tls_ = first_byte_ == SSL3_RT_HANDSHAKE ||
              (first_byte_ == SSL3_RT_ALERT && !context_->is_server());
    if (!is_tls_) return -1;
  }
  barren_bytes_ += static_cast<std::uint32_t>(**taken);
  if (barren_bytes_ > max_barren_bytes) return -1;
  return static_cast<int>(**taken);
}

// Returns: 0 when there is no room now, -1 when there will never be any.
int tls_stream::push(const char* from, int size) noexcept {
  if (push_error_.failed()) return -1;
  if (has_shut_down_) return size;  // Nothing may follow.
  if (outgoing_.size() >= max_outgoing_bytes) return 0;
  std::span<const std::byte> rest = std::as_bytes(std::span{from, static_cast<std::size_t>(size)});
  if (!has_flusher_) rest = send_below(rest);
  if (!rest.empty() && !push_error_.failed() && !keep_for_flusher(rest)) {
    push_error_ = make_error_code(boost::system::errc::not_enough_memory);
  }
  return push_error_.failed() ? -1 : size;
}

// Returns: what is left.
std::span<const std::byte> tls_stream::send_below(std::span<const std::byte> from) noexcept {
  while (!from.empty()) {
    io::attempt<std::size_t> sent = below_.device().try_write(from);
    if (!sent) return from;
    if (sent->has_error()) {
      push_error_ = sent->error();
      return from;
    }
    from = from.subspan(**sent);
  }
  return from;
}

// R3. Outside of a worker, where a stream can only be closed, nobody can flush: the rest is lost.
bool tls_stream::keep_for_flusher(std::span<const std::byte> from) noexcept {
  try {
    if (!has_flusher_ && troupe::detail::current_context() == nullptr) return false;
    outgoing_.append(reinterpret_cast<const char*>(from.data()), from.size());
    if (!std::exchange(has_flusher_, true)) wants_flusher_ = true;
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// If it cannot be had, it gives up at once, by its destructor.
void tls_stream::start_flusher() noexcept {
  try {
    spawn(flush, flusher{*this});
  } catch (const std::bad_alloc&) {
  }
}

// ---- outcomes; the mutex is held

bool tls_stream::must_wait(int ssl_error) noexcept {
  if (ssl_error == SSL_ERROR_WANT_READ) {
    reading_waits_for_ = waits_for::below;
  } else if (ssl_error == SSL_ERROR_WANT_WRITE) {
    reading_waits_for_ = waits_for::room;
  } else {
    return false;
  }
  return true;
}

// Why an operation of OpenSSL has failed. What the stream below, or what we saw, says is more exact
// than what OpenSSL makes of it.
boost::system::error_code tls_stream::cause(int ssl_error) noexcept {
  if (fatal_.failed()) return fatal_;
  if (!is_tls_) return fatal_ = errc::not_tls;
  if (barren_bytes_ > max_barren_bytes) return fatal_ = errc::protocol;
  if (ssl_error == SSL_ERROR_SSL) return fatal_ = cause_in_openssl();
  if (pull_error_.failed()) return pull_error_;
  if (push_error_.failed()) return push_error_;
  if (has_ended_below_) return errc::truncated;
  return fatal_ = errc::protocol;
}

boost::system::error_code tls_stream::cause_in_openssl() noexcept {
  unsigned long error = openssl_error_ = ERR_peek_error();
  int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return errc::protocol;
  if (reason >= SSL_AD_REASON_OFFSET) return errc::refused_by_peer;
  bool is_refused = reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ||
                    reason == SSL_R_CERTIFICATE_VERIFY_FAILED;
  return is_refused ? errc::certificate_refused : errc::protocol;
}

std::string tls_stream::problem() const {
  pal::lock guard{mutex_};
  if (!is_tls_) {
    bool is_text = (first_byte_ >= ' ' && first_byte_ < 127) || first_byte_ == '\n' ||
                   first_byte_ == '\r' || first_byte_ == '\t';
    return is_text ? "looks like plain text"
                   : fmt::format("begins with the byte {:#04x}", first_byte_);
  }
  if (barren_bytes_ > max_barren_bytes) return "too much TLS without data";
  if (openssl_error_ == 0) return {};
  if (ERR_GET_REASON(openssl_error_) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return X509_verify_cert_error_string(SSL_get_verify_result(ssl_.get()));
  }
  return words_of(openssl_error_);
}

bool tls_stream::is_writer_held_up() const noexcept {
  return is_writer_held_up_ && !fatal_.failed() && SSL_in_init(ssl_.get()) != 0;
}

// R5. Wakes under the mutex: a writer that runs at once waits for it a moment.
void tls_stream::free_writer() noexcept {
  if (is_writer_held_up_ && !is_writer_held_up()) std::exchange(writer_, waker{}).wake();
}

// ---- the two directions

io::attempt<void> tls_stream::try_handshake() noexcept {
  turn now{*this};
  may_pull_ = true;
  int outcome = SSL_do_handshake(ssl_.get());
  may_pull_ = false;
  if (outcome == 1) {
    is_established_ = true;
    barren_bytes_ = 0;
    return result<void>{};
  }
  int error = SSL_get_error(ssl_.get(), outcome);
  if (must_wait(error)) return std::nullopt;
  return cause(error);
}

io::attempt<std::size_t> tls_stream::try_read(std::span<std::byte> into) noexcept {
  turn now{*this};
  std::size_t count = 0;
  may_pull_ = true;
  int outcome = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
  may_pull_ = false;
  if (outcome == 1) {
    barren_bytes_ = 0;
    if (is_writer_held_up_) free_writer();
    return count;
  }
  int error = SSL_get_error(ssl_.get(), outcome);
  bool waits = must_wait(error);
  bool has_ended = error == SSL_ERROR_ZERO_RETURN && !fatal_.failed();
  boost::system::error_code failure;
  if (!waits && !has_ended) failure = cause(error);
  if (is_writer_held_up_) free_writer();
  if (waits) return std::nullopt;
  if (has_ended) return std::size_t{0};
  return failure;
}

io::attempt<std::size_t> tls_stream::try_write(std::span<const std::byte> from) noexcept {
  turn now{*this};
  is_writer_held_up_ = false;
  writing_waits_for_ = waits_for::room;
  if (fatal_.failed()) return fatal_;
  if (push_error_.failed()) return push_error_;
  if (said_goodbye_) return make_error_code(boost::system::errc::broken_pipe);
  if (!outgoing_.empty()) return std::nullopt;  // R4
  std::size_t total = 0;
  do {
    std::size_t count = 0;
    std::size_t part = std::min(from.size() - total, max_record_bytes);
    int outcome = SSL_write_ex(ssl_.get(), from.data() + total, part, &count);
    if (outcome != 1) {
      if (total != 0) break;  // The next write will tell.
      int error = SSL_get_error(ssl_.get(), outcome);
      if (error != SSL_ERROR_WANT_READ) return cause(error);
      is_writer_held_up_ = true;  // R5
      return std::nullopt;
    }
    total += count;
  } while (total < from.size() && total < max_bytes_per_try && outgoing_.empty());
  return total;
}

void tls_stream::say_goodbye() noexcept {
  if (std::exchange(said_goodbye_, true) || !is_established_ || fatal_.failed()) return;
  SSL_shutdown(ssl_.get());
}

io::attempt<void> tls_stream::try_shutdown() noexcept {
  turn now{*this};
  writing_waits_for_ = waits_for::room;
  if (fatal_.failed()) return fatal_;
  say_goodbye();
  if (push_error_.failed()) return push_error_;
  if (!outgoing_.empty()) return std::nullopt;
  has_shut_down_ = true;
  io::attempt<void> done = below_.device().try_shutdown();
  if (!done) writing_waits_for_ = waits_for::below;
  return done;
}

bool tls_stream::enlist_read(waker key) noexcept {
  if (reading_waits_for_ == waits_for::below) return below_.device().enlist_read(key);
  pal::lock guard{mutex_};
  if (has_room()) return false;
  reader_ = key;
  return true;
}

void tls_stream::delist_read() noexcept {
  if (reading_waits_for_ == waits_for::below) return below_.device().delist_read();
  pal::lock guard{mutex_};
  reader_ = waker{};
}

bool tls_stream::enlist_write(waker key) noexcept {
  if (writing_waits_for_ == waits_for::below) return below_.device().enlist_write(key);
  pal::lock guard{mutex_};
  if (has_room() && !is_writer_held_up()) return false;
  writer_ = key;
  return true;
}

void tls_stream::delist_write() noexcept {
  if (writing_waits_for_ == waits_for::below) return below_.device().delist_write();
  pal::lock guard{mutex_};
  writer_ = waker{};
}

void tls_stream::close() noexcept {
  bool is_last = false;
  waker flushing;
  {
    turn now{*this};
    // An end that looks clean would make a whole of what was cut short.
    if (!writing.interrupted) say_goodbye();
    is_closed_ = true;
    is_last = !has_flusher_;
    flushing = std::exchange(flusher_, waker{});
  }
  if (is_last) {
    delete this;  // R6
  } else {
    flushing.wake();
  }
}

// ---- the flusher

tls_stream::flushed tls_stream::try_flush(bool after_close) noexcept {
  pal::lock guard{mutex_};
  if (is_closed_ && !after_close) return flushed::closed;
  std::span<const std::byte> rest = std::as_bytes(std::span{outgoing_}).subspan(outgoing_begin_);
  rest = send_below(rest);
  outgoing_begin_ = outgoing_.size() - rest.size();
  if (!rest.empty() && !push_error_.failed()) return flushed::not_yet;
  std::string{}.swap(outgoing_);
  outgoing_begin_ = 0;
  if (is_closed_) return flushed::closed;
  has_flusher_ = false;
  waker reader = std::exchange(reader_, waker{}), writer = std::exchange(writer_, waker{});
  guard.unlock();
  // From here on the device may be gone.
  reader.wake();
  writer.wake();
  return flushed::all;
}

bool tls_stream::enlist_flush(waker key, bool after_close) noexcept {
  pal::lock guard{mutex_};
  if (is_closed_ && !after_close) return false;
  flusher_ = key;
  guard.unlock();
  return below_.device().enlist_write(key);
}

void tls_stream::delist_flush() noexcept {
  below_.device().delist_write();
  pal::lock guard{mutex_};
  flusher_ = waker{};
}

// The flusher gives up: the device was closed, or the runtime ends.
void tls_stream::end_flush() noexcept {
  pal::lock guard{mutex_};
  has_flusher_ = false;
  if (!outgoing_.empty()) push_error_ = make_error_code(troupe::errc::canceled);
  bool is_last = is_closed_;
  waker reader = std::exchange(reader_, waker{}), writer = std::exchange(writer_, waker{});
  guard.unlock();
  if (is_last) {
    delete this;  // R6
  } else {
    reader.wake();
    writer.wake();
  }
}

// ---- what was agreed on

info tls_stream::agreed() const {
  pal::lock guard{mutex_};
  SSL* ssl = ssl_.get();
  info told;
  told.version = SSL_get_version(ssl);
  told.cipher = SSL_get_cipher_name(ssl);
  const unsigned char* alpn = nullptr;
  unsigned alpn_bytes = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &alpn_bytes);
  if (alpn_bytes != 0) told.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_bytes);
  told.resumed = SSL_session_reused(ssl) == 1;
  X509* shown = SSL_get0_peer_certificate(ssl);
  if (shown == nullptr) return told;
  told.peer_verified =
      (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0 && SSL_get_verify_result(ssl) == X509_V_OK;
  bio_ptr text{BIO_new(BIO_s_mem())};
  if (text == nullptr) throw std::bad_alloc{};
  X509_NAME_print_ex(text.get(), X509_get_subject_name(shown), 0, XN_FLAG_RFC2253);
  char* begin = nullptr;
  long size = BIO_get_mem_data(text.get(), &begin);
  told.peer_subject.assign(begin, static_cast<std::size_t>(size));
  return told;
}

}  // namespace troupe::inline v0_1::tls::detail
