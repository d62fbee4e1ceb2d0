%% Erlang's side of the benchmark.
%%
%% `run WORK [--workers 2] [--size N] [--warm-up W] [--repeat R]` prints for each figure of the work
%% one tab-separated line: `work  erlang  median  unit  min  max`. `--size` is the total number of
%% operations (processes, requests, values, hops, ...). Exit code 2: wrong usage or no such work.
%%
%% Fair: the JIT, and the emulator's defaults but for the number of schedulers, the most processes
%% and, in `memory`, the least heap. Schedulers that never spin (+sbwt none) were measured too: no
%% work is faster, and timeouts and coordinator are 0.7 x as fast.
-module(bench).
-export([main/0]).

-define(YIELDING, 200).
-define(CHILDREN, 10).
-define(SENDERS, 4).
-define(CLIENTS, 8).
-define(RING, 1000).
-define(TOKENS, 100).
-define(WITH_TIMEOUT, 100).
-define(TIME_LIMIT_MS, 10000).

works() ->
    [{"spawn", 1000000, fun spawns/1},
     {"yield", 2000000, fun yields/1},
     {"skynet", 1000000, fun skynet/1},
     {"memory", 1000000, fun memory/1},
     {"fan_in_unbounded", 4000000, fun fan_in_unbounded/1},
     {"ping_pong", 1000000, fun ping_pong/1},
     {"coordinator", 2000000, fun coordinator/1},
     {"ring", 2000000, fun ring/1},
     {"timers", 1000000, fun timers/1},
     {"timeouts", 1000000, fun timeouts/1}].

%% ---- works on bare processes ----

%% Fair: one atomic counter tells the end. A message of each process to the one that waits never
%% comes to an end in time, as its mailbox grows; ten processes that start the others, and spawn_opt
%% in place of spawn, are 0.7 x as fast; heaps of 12 words are no faster.
spawns(Size) ->
    Self = self(),
    Left = atomics:new(1, []),
    atomics:put(Left, 1, Size),
    Start = now_ns(),
    repeat(Size, fun() -> spawn(fun() -> count_down(Left, Self) end) end),
    zero(),
    rate("spawn", "tasks/s", Size, Start).

%% Fair: erlang:yield() is the only way to yield.
yields(Size) ->
    Each = max(Size div ?YIELDING, 1),
    Start = now_ns(),
    in_parallel(?YIELDING, fun() -> repeat(Each, fun erlang:yield/0) end),
    rate("yield", "yields/s", Each * ?YIELDING, Start).

%% Fair: one message per child. Heaps of 12 words, and spawn_opt in place of spawn, are no faster.
skynet(Size) ->
    Leaves = leaves(1, Size),
    Self = self(),
    Start = now_ns(),
    spawn_link(fun() -> skynet_node(Self, 0, Leaves) end),
    Sum = receive Found -> Found end,
    Seconds = seconds_since(Start),
    check(Sum =:= sum_below(Leaves), "skynet: wrong sum"),
    [{"skynet", "s", Seconds}].

leaves(Leaves, Size) when Leaves * ?CHILDREN =< Size -> leaves(Leaves * ?CHILDREN, Size);
leaves(Leaves, _) -> Leaves.

%% A node for the leaves First .. First + Leaves - 1, which sends the sum of them to its parent.
skynet_node(Parent, First, 1) ->
    Parent ! First;
skynet_node(Parent, First, Leaves) ->
    Self = self(),
    Part = Leaves div ?CHILDREN,
    [spawn(fun() -> skynet_node(Self, First + Child * Part, Part) end)
     || Child <- lists:seq(0, ?CHILDREN - 1)],
    Parent ! sum_of(?CHILDREN, 0).

sum_of(0, Sum) -> Sum;
sum_of(Left, Sum) -> receive Value -> sum_of(Left - 1, Sum + Value) end.

%% Fair: the plain process that waits in receive, with heaps that begin at 12 words (+hms, see run):
%% 1160 bytes in place of 2690. No hibernation: it throws away the stack and all of the heap that is
%% not in use, made anew for the next message, and only a process that expects none for long does
%% so. Earlier repetitions stay alive, as freed memory would hide the growth of the next one.
memory(Size) ->
    Self = self(),
    Left = atomics:new(1, []),
    atomics:put(Left, 1, Size),
    Before = resident_bytes(),
    Idle = idle_processes(Size, Left, Self, []),
    zero(),
    Grown = resident_bytes() - Before,
    check(length(Idle) =:= Size, "memory: processes are missing"),
    [{"memory", "bytes", Grown / Size}].

idle_processes(0, _, _, Idle) -> Idle;
idle_processes(Count, Left, Self, Idle) ->
    Started = spawn(fun() -> count_down(Left, Self), idle() end),
    idle_processes(Count - 1, Left, Self, [Started | Idle]).

idle() ->
    receive _ -> idle() end.

%% ---- works on messages ----

%% Fair: a receiver that keeps its messages off its heap, so that no garbage collection copies them
%% and the senders do not wait for each other: 1.3 x as fast as without.
fan_in_unbounded(Size) ->
    Each = max(Size div ?SENDERS, 1),
    Self = self(),
    Start = now_ns(),
    Receiver = spawn_opt(fun() -> Self ! {sum, sum_of(Each * ?SENDERS, 0)} end,
                         [link, {message_queue_data, off_heap}]),
    [spawn_link(fun() -> send_below(Receiver, 0, Each) end) || _ <- lists:seq(1, ?SENDERS)],
    Sum = receive {sum, Found} -> Found end,
    check(Sum =:= ?SENDERS * sum_below(Each), "fan_in_unbounded: wrong sum"),
    rate("fan_in_unbounded", "values/s", Each * ?SENDERS, Start).

send_below(_, Count, Count) -> ok;
send_below(To, Value, Count) -> To ! Value, send_below(To, Value + 1, Count).

server() ->
    receive
        {From, Reference, Value} -> From ! {Reference, Value + 1}, server();
        stop -> ok
    end.

ask_repeatedly(_, 0) -> ok;
ask_repeatedly(Server, Left) ->
    Reference = make_ref(),
    Server ! {self(), Reference, Left},
    receive {Reference, Answer} -> check(Answer =:= Left + 1, "wrong answer") end,
    ask_repeatedly(Server, Left - 1).

%% Fair: a reference per request, for which the emulator skips what was in the mailbox before. A
%% monitor and an alias beside it, as gen_server:call has them, are 0.7 x as fast; requests without
%% a reference are not faster.
ping_pong(Size) ->
    Server = spawn_link(fun server/0),
    Start = now_ns(),
    in_parallel(1, fun() -> ask_repeatedly(Server, Size) end),
    Figures = rate("ping_pong", "requests/s", Size, Start),
    Server ! stop,
    Figures.

%% Fair: as ping_pong.
coordinator(Size) ->
    Each = max(Size div ?CLIENTS, 1),
    Server = spawn_link(fun server/0),
    Start = now_ns(),
    in_parallel(?CLIENTS, fun() -> ask_repeatedly(Server, Each) end),
    Figures = rate("coordinator", "requests/s", Each * ?CLIENTS, Start),
    Server ! stop,
    Figures.

%% Fair: plain messages; building and tearing down the ring is not timed.
ring(Size) ->
    HopsEach = max(Size div ?TOKENS, 1),
    Self = self(),
    First = spawn_link(fun() -> receive {next, Next} -> pass_on(Next, Self) end end),
    Others = ring_behind(?RING - 1, First, Self, []),
    First ! {next, hd(Others)},
    All = list_to_tuple([First | Others]),
    Start = now_ns(),
    %% The token's way in is its first hop.
    [element(Token * (?RING div ?TOKENS) + 1, All) ! HopsEach - 1
     || Token <- lists:seq(0, ?TOKENS - 1)],
    repeat(?TOKENS, fun() -> receive home -> ok end end),
    Figures = rate("ring", "hops/s", HopsEach * ?TOKENS, Start),
    [Process ! stop || Process <- tuple_to_list(All)],
    Figures.

%% Each is started after the one that it sends to.
ring_behind(0, _, _, Ring) -> Ring;
ring_behind(Count, Next, Self, Ring) ->
    Started = spawn_link(fun() -> pass_on(Next, Self) end),
    ring_behind(Count - 1, Started, Self, [Started | Ring]).

pass_on(Next, Finished) ->
    receive
        0 -> Finished ! home, pass_on(Next, Finished);
        stop -> ok;
        HopsLeft -> Next ! HopsLeft - 1, pass_on(Next, Finished)
    end.

%% ---- works on timers ----

%% Fair: one process per sleep, and `receive after`, which timer:sleep is. Lateness goes to a slot
%% that is there before. The emulator's timers have ticks of 1 ms, rounded up.
timers(Size) ->
    Self = self(),
    Late = atomics:new(Size, []),
    Left = atomics:new(1, []),
    atomics:put(Left, 1, Size),
    CpuBefore = cpu_seconds(),
    start_sleeping(Size, Late, Left, Self),
    zero(),
    Cpu = cpu_seconds() - CpuBefore,
    Sorted = list_to_tuple(lists:sort([atomics:get(Late, Slot) || Slot <- lists:seq(1, Size)])),
    check(element(1, Sorted) > 0, "timers: a process did not sleep"),
    Percentile = fun(Share) -> float(element(trunc((Size - 1) * Share) + 1, Sorted)) end,
    [{"timers", "cpu_s", Cpu},
     {"timers_late_p50", "us", Percentile(0.5)},
     {"timers_late_p99", "us", Percentile(0.99)},
     {"timers_late_p99.9", "us", Percentile(0.999)}].

start_sleeping(0, _, _, _) -> ok;
start_sleeping(Count, Late, Left, Self) ->
    spawn(fun() -> sleep_once(Count, Late, Left, Self) end),
    start_sleeping(Count - 1, Late, Left, Self).

sleep_once(Slot, Late, Left, Self) ->
    Delay = pseudo_random_delay(Slot - 1),
    Deadline = now_ns() + Delay * 1000000,
    receive after Delay -> ok end,
    atomics:put(Late, Slot, (now_ns() - Deadline) div 1000),
    count_down(Left, Self).

%% 1 to 1000 ms, the same for every peer: splitmix64 of the process's number.
pseudo_random_delay(Number) ->
    M1 = ((Number + 1) * 16#9e3779b97f4a7c15) band 16#ffffffffffffffff,
    M2 = ((M1 bxor (M1 bsr 30)) * 16#bf58476d1ce4e5b9) band 16#ffffffffffffffff,
    M3 = ((M2 bxor (M2 bsr 27)) * 16#94d049bb133111eb) band 16#ffffffffffffffff,
    1 + (M3 bxor (M3 bsr 31)) rem 1000.

%% Fair: `after` in the receive that waits for the answer, of one server for all 100 clients; a
%% server for each is 0.7 x as fast.
timeouts(Size) ->
    Each = max(Size div ?WITH_TIMEOUT, 1),
    Server = spawn_link(fun server/0),
    Start = now_ns(),
    in_parallel(?WITH_TIMEOUT, fun() -> ask_in_time(Server, Each) end),
    Figures = rate("timeouts", "operations/s", Each * ?WITH_TIMEOUT, Start),
    Server ! stop,
    Figures.

ask_in_time(_, 0) -> ok;
ask_in_time(Server, Left) ->
    Reference = make_ref(),
    Server ! {self(), Reference, Left},
    receive
        {Reference, Answer} -> check(Answer =:= Left + 1, "timeouts: wrong answer")
    after ?TIME_LIMIT_MS -> error("timeouts: no answer")
    end,
    ask_in_time(Server, Left - 1).

%% ---- what the works share ----

now_ns() -> erlang:monotonic_time(nanosecond).

seconds_since(Start) -> (now_ns() - Start) / 1.0e9.

rate(Name, Unit, Count, Start) -> [{Name, Unit, Count / seconds_since(Start)}].

sum_below(Count) -> Count * (Count - 1) div 2.

check(true, _) -> ok;
check(false, What) -> error(What).

repeat(0, _) -> ok;
repeat(Count, Do) -> Do(), repeat(Count - 1, Do).

%% Counts down to zero, and then tells the one process that waits.
count_down(Left, Waiting) ->
    case atomics:sub_get(Left, 1, 1) of
        0 -> Waiting ! zero;
        _ -> ok
    end.

zero() -> receive zero -> ok end.

%% Runs Do in processes of its own, and waits for all of them.
in_parallel(Count, Do) ->
    Self = self(),
    [spawn_link(fun() -> Do(), Self ! done end) || _ <- lists:seq(1, Count)],
    repeat(Count, fun() -> receive done -> ok end end).

resident_bytes() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kilobytes]} = re:run(Status, "VmRSS:\\s+(\\d+) kB", [{capture, [1], binary}]),
    binary_to_integer(Kilobytes) * 1024.

%% CPU time of all threads of this process.
cpu_seconds() ->
    {ok, Statistics} = file:read_file("/proc/self/stat"),
    [_, Behind] = string:split(Statistics, ") ", trailing),
    Fields = string:lexemes(Behind, " "),
    Ticks = binary_to_integer(lists:nth(12, Fields)) + binary_to_integer(lists:nth(13, Fields)),
    Ticks / 100.

%% ---- the command line ----

main() ->
    {Work, Options} = options(init:get_plain_arguments()),
    {_, Usual, Run} = case lists:keyfind(Work, 1, works()) of
        false -> usage("no such work: " ++ Work);
        Found -> Found
    end,
    Size = maps:get("--size", Options, Usual),
    {Process, Monitor} = spawn_monitor(fun() ->
        repeat(maps:get("--warm-up", Options), fun() -> Run(Size) end),
        print([Run(Size) || _ <- lists:seq(1, maps:get("--repeat", Options))])
    end),
    receive
        {'DOWN', Monitor, process, Process, normal} -> halt(0, [{flush, true}]);
        {'DOWN', Monitor, process, Process, Reason} -> fail(1, io_lib:format("~p", [Reason]))
    end.

options([]) -> usage("no work named");
options([Work | Others]) ->
    {Work, options(Others, #{"--workers" => 2, "--warm-up" => 0, "--repeat" => 1})}.

options([], Options) -> Options;
options([Name | Others], Options) ->
    lists:member(Name, ["--workers", "--size", "--warm-up", "--repeat"])
        orelse usage("unknown option " ++ Name),
    case Others of
        [Text | More] ->
            case string:to_integer(Text) of
                {Number, []} when Number > 0 -> options(More, Options#{Name => Number});
                _ -> usage(Name ++ " needs a positive number")
            end;
        [] -> usage(Name ++ " needs a positive number")
    end.

%% One line per figure, over all repetitions.
print([First | _] = Repetitions) ->
    [begin
         Values = lists:sort([element(3, lists:nth(Index, Figures)) || Figures <- Repetitions]),
         Count = length(Values),
         Median = (lists:nth((Count + 1) div 2, Values) + lists:nth(Count div 2 + 1, Values)) / 2,
         io:format("~s\terlang\t~.6f\t~s\t~.6f\t~.6f~n",
                   [Name, Median, Unit, hd(Values), lists:last(Values)])
     end || {Index, {Name, Unit, _}} <- lists:enumerate(First)].

usage(Problem) ->
    Names = lists:join(" ", [Name || {Name, _, _} <- works()]),
    fail(2, [Problem, "\nusage: run WORK [--workers 2] [--size N] [--warm-up W] [--repeat R]\n",
             "works: ", Names]).

fail(Code, Message) ->
    io:format(standard_error, "bench.erl: ~ts~n", [Message]),
    halt(Code).
