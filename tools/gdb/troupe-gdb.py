"""Helpers for gdb: what the tasks and actors of a program wait for.

    (gdb) source troupe-gdb.py
    (gdb) troupe tasks      each task: where it was spawned, what it waits for, where
    (gdb) troupe actors     each actor: its name, its mail, what its handler waits for
    (gdb) troupe waits      who waits for whom; circles are marked

They read a live process or a core file, of any build, stripped of debug information too: the
library says itself where things lie (troupe/task/debug_facts.hpp). Beside them there are printers
for ref, weak_ref, actor_id, result and task, for builds with debug information.
"""

import re

import gdb

FORMAT = 1
MAX_MAIL = 100_000  # A mailbox whose chain is longer is torn.


# ---- memory without types ------------------------------------------------------------------------

def number(address, size=8):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, size).tobytes(), "little")


def text(address):
    """The text that ends with a zero at `address`."""
    if not address:
        return ""
    read = bytearray()
    while b"\0" not in read and len(read) < 4096:
        # Not across a page: the next one may be nobody's.
        size = min(64, 4096 - (address + len(read)) % 4096)
        read += gdb.selected_inferior().read_memory(address + len(read), size).tobytes()
    return read.split(b"\0")[0].decode("utf-8", "replace")


def std_string(address):
    """A std::string of libstdc++."""
    size = number(address + 8)
    return gdb.selected_inferior().read_memory(number(address), size).tobytes().decode(
        "utf-8", "replace") if 0 < size < 4096 else ""


def place(address):
    """A std::source_location of libstdc++, as `file:line`."""
    at = number(address)
    if not at:
        return "-"
    return f"{text(number(at)).rsplit('/', 1)[-1]}:{number(at + 16, 4)}"


# ---- what the library says of itself -------------------------------------------------------------

class Cells:
    """The cells of one kind, and the numbers that tell what lies in one."""

    def __init__(self, symbol):
        try:
            at = int(gdb.parse_and_eval(f"(unsigned long)&{symbol}"))
        except gdb.error:
            raise gdb.GdbError(f"there is no {symbol}: this is no program with troupe, it is not "
                               "started, or its symbol table was stripped") from None
        if number(at) != FORMAT:
            raise gdb.GdbError(f"{symbol} has format {number(at)}, and this script reads {FORMAT}: "
                               "take the one of the library's version")
        self.slab = number(number(at + 16))
        self.facts = {text(entry): number(entry + 24)
                      for entry in (at + 24 + 32 * i for i in range(number(at + 8)))}

    def __getitem__(self, name):
        return self.facts[name]

    def all(self):
        """Yields number and address of every cell ever made."""
        if not self.slab:
            return
        begin, end = (number(self.slab + self["chunks"] + 8 * i) for i in range(2))
        index = 0
        for chunk in range(begin, end, self["chunk bytes"]):
            cells = number(chunk + self["chunk cells"])
            for i in range(number(chunk + self["chunk made"])):
                yield index, cells + i * self["cell bytes"]
                index += 1


class Task:
    def __init__(self, cells, index, at):
        self.at, self.name = at, f"task {index}"
        self.word = number(at + cells["word"])
        self.is_waiting = bool(self.word & (cells["waiting"] | cells["shielded"]))
        self.is_shielded = bool(self.word & cells["shielded"])
        self.is_asked_to_stop = bool(self.word & cells["stop"])
        # A handler has the name of its message there, marked by the highest bit.
        is_handler = bool(number(at + cells["origin"]) >> 63)
        self.spawned_at = "-" if is_handler else place(at + cells["origin"])
        self.what = text(number(at + cells["what"])) if self.is_waiting else ""
        self.where = place(at + cells["where"]) if self.is_waiting else ""
        self.awaited = number(at + cells["awaited"]) if self.is_waiting else 0
        join = number(at + cells["join"])
        self.is_over = join == cells["done"]
        # A waker is the address of its task's cell, below 16 bits of an epoch.
        self.joined_by = 0 if join in (0, cells["done"], cells["detached"]) else (
            join & ((1 << 48) - 1))
        self.handles_for = None

    def state(self):
        words = ["ended" if self.is_over else "waits" if self.is_waiting else "ready"]
        words += ["shielded"] if self.is_shielded else []
        words += ["asked to stop"] if self.is_asked_to_stop else []
        return ", ".join(words)


class Actor:
    def __init__(self, cells, at):
        self.at = at
        self.life = number(at + cells["life"], 4)
        self.is_dead = not number(at + cells["exec"]) or bool(self.life & cells["dead"])
        self.generation = number(at + cells["refs"]) >> cells["generation shift"]
        if self.is_dead:
            return
        self.class_name = text(number(number(at + cells["table"]) + cells["class name"]))
        extension = number(at + cells["extension"])
        named = std_string(extension + cells["name"]) if extension else ""
        self.name = named or self.class_name
        self.handler = number(at + cells["handler"])
        word = number(at + cells["mail"])
        self.is_idle = bool(word & cells["mail idle"])
        self.ends = bool(word & cells["mail closed"]) or bool(
            self.life & (cells["stop asked"] | cells["kill asked"]))
        current = number(at + cells["current"])
        self.message = text(number(number(current + cells["message table"])
                                   + cells["message name"])) if current else ""
        sent = 0 if self.is_idle else word & cells["mail address"]  # Idle: the mark of a keeper.
        self.mail = sum(1 for start in (sent, number(at + cells["taken"]))
                        for message in chain(start, cells["mail next"]) if message != current)

    def state(self, tasks):
        handler = tasks.get(self.handler)
        state = "ready" if handler is None and not self.is_idle else "idle"
        if handler is not None:
            state = "waits" if handler.is_waiting else "runs"
        return f"{state}, ends" if self.ends else state


def chain(at, offset):
    for _ in range(MAX_MAIL):
        if not at:
            return
        yield at
        at = number(at + offset)


def actors_and_tasks():
    """Returns: those that live, by address."""
    cells = Cells("troupe_debug_tasks")
    tasks = {at: Task(cells, index, at) for index, at in cells.all() if number(at + cells["exec"])}
    try:
        cells = Cells("troupe_debug_actors")
    except gdb.GdbError:
        return {}, tasks  # A program of tasks only has linked no actors.
    actors = {at: actor for at, actor in ((at, Actor(cells, at)) for _, at in cells.all())
              if not actor.is_dead}
    for actor in actors.values():
        if actor.handler in tasks:
            tasks[actor.handler].handles_for = actor
    return actors, tasks


# ---- commands ------------------------------------------------------------------------------------

def show(head, rows, nothing):
    if not rows:
        return print(nothing)
    rows = [head] + rows
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


class Troupe(gdb.Command):
    """What the tasks and actors of a program wait for: troupe tasks, troupe actors, troupe waits"""

    def __init__(self):
        super().__init__("troupe", gdb.COMMAND_STATUS, prefix=True)


class Tasks(gdb.Command):
    """Each task that lives: where it was spawned, what it waits for, and where."""

    def __init__(self):
        super().__init__("troupe tasks", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        _, tasks = actors_and_tasks()
        rows = []
        for task in tasks.values():
            of = f"handler of {task.handles_for.name}" if task.handles_for else task.spawned_at
            rows.append((task.name, task.state(), of, task.what, task.where))
        show(("task", "state", "spawned at", "waits for", "at"), rows, "no tasks")


class Actors(gdb.Command):
    """Each actor that lives: its name, its class, its mail, what its handler waits for, and where.

    `mail` counts what has not begun."""

    def __init__(self):
        super().__init__("troupe actors", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        actors, tasks = actors_and_tasks()
        rows = []
        for actor in actors.values():
            handler = tasks.get(actor.handler)
            waits = handler if handler is not None and handler.is_waiting else None
            rows.append((actor.name, actor.class_name, actor.state(tasks), str(actor.mail),
                         actor.message, waits.what if waits else "", waits.where if waits else ""))
        show(("actor", "class", "state", "mail", "handles", "waits for", "at"), rows, "no actors")


class Waits(gdb.Command):
    """Who waits for whom: handlers for the actors they ask, tasks for those they have joined.

    What a task that is no handler has asked of an actor is not known to be that actor's."""

    def __init__(self):
        super().__init__("troupe waits", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        actors, tasks = actors_and_tasks()

        def node(task):
            return task.handles_for.at if task.handles_for else task.at

        def name(at):
            return actors[at].name if at in actors else tasks[at].name

        edges = {}
        for task in tasks.values():
            if task.awaited in actors:
                edges.setdefault(node(task), []).append((task.awaited, task.where))
            joining = tasks.get(task.joined_by)
            if joining is not None and not task.is_over:
                edges.setdefault(node(joining), []).append((node(task), joining.where))
        circles = [circle for start in edges if (circle := circle_from(start, edges))]
        in_circle = {at for circle in circles for at in circle}
        rows = [(name(at), f"-> {name(to)}", f"at {where}",
                 "in a circle" if {at, to} <= in_circle else "")
                for at, all_of in edges.items() for to, where in all_of]
        show(("who", "waits for", "", ""), rows, "nobody waits for another")
        for circle in circles:
            if circle[0] == min(circle):  # Once, and not for each that is in it.
                print("circle: " + " -> ".join(name(at) for at in circle + circle[:1]))


def circle_from(start, edges):
    """Returns: the nodes of a way from `start` back to it; None when there is none."""
    came_from, ready = {}, [start]
    while ready:
        at = ready.pop()
        for to, _ in edges.get(at, ()):
            if to == start:
                way = [at]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if to not in came_from:
                came_from[to] = at
                ready.append(to)
    return None


# ---- printers ------------------------------------------------------------------------------------

def actor_words(block, generation=None):
    if not block:
        return "null"
    actor = Actor(Cells("troupe_debug_actors"), block)
    if actor.is_dead or generation not in (None, actor.generation):
        return "ended"
    return actor.name


class Ref:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f"ref to {actor_words(int(self.value['block_']))}"


class WeakRef(Ref):
    def to_string(self):
        words = actor_words(int(self.value["block_"]), int(self.value["generation_"]))
        return f"weak_ref to {words}"


class ActorId(Ref):
    def to_string(self):
        words = actor_words(int(self.value["block"]), int(self.value["generation"]))
        return f"actor_id of {words}"


class Result:
    """A boost::system::result<T>: a variant2 of the value and the error, each one step deeper."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        variant = self.value["v_"]
        index = int(variant["ix_"])
        fields = {field.name for kind in bases_of(variant.type) for field in kind.fields()}
        if "st1_" in fields:  # Twice the room: the lowest bit says which is in use.
            storage, index = variant["st2_" if index & 1 else "st1_"], index // 2
        else:
            storage = variant["st_"]
            if storage.type.code == gdb.TYPE_CODE_ARRAY:
                storage, index = storage[index & 1], index // 2
        for _ in range(index):
            storage = storage["rest_"]
        held = storage["first_"]
        if index != 2:
            return f"result: {'void' if 'monostate' in str(held.type) else held}"
        category = held["d1_"]["cat_"]
        kind = str(category.dereference().dynamic_type).removeprefix("const ")
        return f"result: error {int(held['d1_']['val_'])} of {kind}"


def bases_of(kind):
    """Yields a type and its bases."""
    yield kind
    for field in kind.fields():
        if field.is_base_class:
            yield from bases_of(field.type)


class CoroutineTask:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        handle = self.value["handle_"]
        frame = int(handle["_M_fr_ptr"])
        if not frame:
            return "task that was awaited or moved from"
        resume = number(frame)
        symbol = gdb.execute(f"info symbol {resume}", to_string=True).split(" in section")[0]
        return f"task at the start of {symbol.split(' [clone')[0]}"


def printer_of(value):
    kind = value.type
    if kind.code == gdb.TYPE_CODE_REF:
        kind = kind.target()
    name = kind.unqualified().strip_typedefs().name or ""
    name = re.sub(r"\bv\d+_\d+::", "", name)  # The inline namespace of the version.
    for beginning, printer in PRINTERS:
        if name == beginning or name.startswith(f"{beginning}<"):
            return printer(value)
    return None


PRINTERS = (("troupe::ref", Ref), ("troupe::weak_ref", WeakRef), ("troupe::actor_id", ActorId),
            ("boost::system::result", Result), ("troupe::task", CoroutineTask))

Troupe()
Tasks()
Actors()
Waits()
gdb.pretty_printers.append(printer_of)
