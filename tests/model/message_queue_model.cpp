// The mailbox word, the senders that wait for room, and channels: framework/troupe/sync/
// message_queue.hpp, parking_lot.hpp, room_wait.hpp, detail/channel_core.hpp and mpsc.hpp;
// docs/protocols/message_queue.md and parking_lot.md. Marks are in kept_actor_model.cpp.

#include <model/message_queue/channel.hpp>
#include <model/message_queue/mailbox.hpp>

int main(int argc, char** argv) {
  using namespace troupe::model;
  fresh_parking_lot::make();
  return run<mail_and_poke, mail_in_bounds, visits_and_mail, mail_and_end, visits_and_close,
             late_poke, mail_and_waits, waits_and_end, waits_and_stop, one_place, stopped_sender,
             receiver_leaves, nudged_receiver, permits, room_returned, rooms_returned,
             wake_handed_on, room_beside_mail, sender_stays>("message_queue", argc, argv);
}
