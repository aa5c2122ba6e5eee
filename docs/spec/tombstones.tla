----------------------------- MODULE tombstones -----------------------------
(***************************************************************************)
(* One key: created, counted, added to, deleted and created again at       *)
(* several sites; tombstones, and their removal after a horizon that all   *)
(* sites agree on. Code: merge.ts, apply.ts, domain/entity-service.ts,     *)
(* anti-entropy/collect-tombstones.ts.                                     *)
(*                                                                         *)
(* Left out, because markers.tla has it: crashes and markers. Here each    *)
(* write's message is in the peers' queues at once, and stays there: so it *)
(* arrives at any time, in any order, any number of times, or never.       *)
(* `Resend` is a sweep or a repair: the state as it is now, sent now.      *)
(***************************************************************************)
EXTENDS Integers, FiniteSets, Sequences, TLC

CONSTANTS
  Sites,       \* 1..n
  Horizon,     \* ticks after which a late message is refused
  Margin,      \* ticks that a tombstone is kept beyond it
  Skew,        \* a clock is at most so many ticks ahead of another
  MaxTime,     \* the last tick
  MaxWrites,   \* local writes in all
  MaxResends,  \* sweeps and repairs in all
  Kinds,       \* what a live record takes: subset of {"inc", "add", "set"}
  Removers,    \* sites that begin removals
  Begun,       \* TRUE: it begins with a record that site 1 created and all hold
  Broken       \* the planted defect, or "none"

VARIABLES
  now,      \* the true time
  ahead,    \* site -> how far its clock is ahead of it
  rec,      \* site -> the state that it holds, or Absent
  since,    \* site -> its own clock's time when it first held the tombstone
  net,      \* messages in inbound queues
  burial,   \* site -> the removal that it began, or NoBurial
  resends,  \* how many there were
  \* What no site knows; for the properties only.
  writes,   \* every local write
  seen,     \* site -> stamps of the deletes that it ever held
  removed,  \* stamps of the deletes whose tombstone some site has removed
  logged    \* conflicts logged: pairs of stamps

vars == <<now, ahead, rec, since, net, burial, resends, writes, seen, removed, logged>>

(***************************************************************************)
(* Stamps: time, counter, site as one number, so that > orders them.       *)
(***************************************************************************)
Ms(stamp) == stamp \div 100
SiteOf(stamp) == stamp % 10
Clock(s) == now + ahead[s]
Later(a, b) == IF a > b THEN a ELSE b
Next_(s, after) ==
  IF Clock(s) > Ms(after) THEN Clock(s) * 100 + s
  ELSE Ms(after) * 100 + (((after % 100) \div 10) + 1) * 10 + s

(***************************************************************************)
(* States. A slot is <<stamp, sum>>. `life` is for the properties only:    *)
(* the creations that the state grew from.                                 *)
(***************************************************************************)
Absent == [there |-> FALSE]
NoBurial == [there |-> FALSE]
NoSlot == <<0, 0>>
Empty == [s \in Sites |-> NoSlot]
NoVector == [s \in Sites |-> 0]
IsThere(x) == x.there
IsGone(x) == IsThere(x) /\ x.del[2]
IsLive(x) == IsThere(x) /\ ~x.del[2]
Covers(vec, stamp) == vec[SiteOf(stamp)] >= stamp
Max(S) == CHOOSE x \in S : \A y \in S : y <= x
Newest(x) == Max({x.vec[s] : s \in Sites})
JoinVec(a, b) == TLCEval([s \in Sites |-> Later(a[s], b[s])])

\* Stamps of all that a state holds.
Parts(x) ==
  (({x.reg, x.del[1]} \cup {x.ctr[s][1] : s \in Sites} \cup {x.base[s][1] : s \in Sites})
     \cup x.set) \ {0}
Entries(x) == {x.vec[s] : s \in Sites} \ {0}

Sum(slots) == LET f[S \in SUBSET Sites] ==
                    IF S = {} THEN 0
                    ELSE LET s == CHOOSE s \in S : TRUE IN slots[s][2] + f[S \ {s}]
              IN f[Sites]
Value(x) == Sum(x.ctr) - Sum(x.base)

(***************************************************************************)
(* Merging                                                                 *)
(***************************************************************************)
\* The tombstone x is so old that y, all of it younger, is another life that knows nothing of it.
CountsAsAbsent(x, y) ==
  /\ Broken \notin {"tombstone-always-counts", "no-incarnation"}
  /\ IsGone(x)
  /\ \A t \in Parts(y) \cup Entries(y) : Ms(t) > Ms(x.del[1]) + Horizon

LaterSlots(a, b) == TLCEval([s \in Sites |-> IF b[s][1] > a[s][1] THEN b[s] ELSE a[s]])
\* What one side lacks was removed there if that side's vector covers it.
KeepUnseen(A, B, vecA, vecB) ==
  TLCEval({t \in A : t \in B \/ ~Covers(vecB, t)} \cup {t \in B : t \in A \/ ~Covers(vecA, t)})

MergeFields(a, b) ==
  [a EXCEPT !.vec = JoinVec(a.vec, b.vec),
            !.del = IF b.del[1] > a.del[1] THEN b.del ELSE a.del,
            !.reg = Later(a.reg, b.reg),
            !.ctr = LaterSlots(a.ctr, b.ctr),
            !.base = LaterSlots(a.base, b.base),
            !.set = KeepUnseen(a.set, b.set, a.vec, b.vec),
            !.life = KeepUnseen(a.life, b.life, a.vec, b.vec)]

MergeStates(a, b) ==
  IF CountsAsAbsent(a, b) THEN b
  ELSE IF CountsAsAbsent(b, a) THEN a
  ELSE IF a.inc > b.inc THEN [a EXCEPT !.vec = JoinVec(a.vec, b.vec)]
  ELSE IF b.inc > a.inc THEN [b EXCEPT !.vec = JoinVec(a.vec, b.vec)]
  ELSE MergeFields(a, b)

Merge(x, y) ==
  IF ~IsThere(x) THEN y ELSE IF ~IsThere(y) THEN x ELSE MergeStates(x, y)

\* Pairs of registers of which one lost against another that had not seen it.
Conflicts(a, b) ==
  IF ~IsThere(a) \/ ~IsThere(b) \/ CountsAsAbsent(a, b) \/ CountsAsAbsent(b, a) \/ a.reg = b.reg THEN {}
  ELSE IF ~Covers(a.vec, b.reg) /\ ~Covers(b.vec, a.reg) THEN {<<a.reg, b.reg>>}
  ELSE {}

(***************************************************************************)
(* Messages                                                                *)
(***************************************************************************)
Refuses(s, m) ==
  /\ Broken # "nothing-refused"
  /\ Clock(s) - m.sent > Horizon
  /\ \/ ~IsThere(rec[s])
     \/ Broken # "refuses-about-absent-only" /\ \A t \in Parts(rec[s]) : Ms(t) > m.sent

MessagesOf(s, state) == {[to |-> p, sent |-> Clock(s), state |-> state] : p \in Sites \ {s}}

Hold(s, state) ==
  /\ rec' = [rec EXCEPT ![s] = state]
  /\ since' = [since EXCEPT ![s] =
       IF ~IsGone(state) THEN 0
       ELSE IF IsGone(rec[s]) THEN since[s]
       ELSE IF Broken = "removal-counts-from-the-stamp" THEN Ms(state.del[1]) ELSE Clock(s)]
  /\ seen' = [seen EXCEPT ![s] = IF IsGone(state) THEN @ \cup {state.del[1]} ELSE @]

Deliver(m) ==
  LET s == m.to
      merged == Merge(rec[s], m.state)
  IN /\ ~Refuses(s, m)
     /\ merged # rec[s]
     /\ Hold(s, merged)
     /\ logged' = logged \cup Conflicts(rec[s], m.state)
     /\ UNCHANGED <<now, ahead, net, burial, resends, writes, removed>>

(***************************************************************************)
(* Local writes                                                            *)
(***************************************************************************)
Write(s, kind, state, stamp) ==
  /\ Cardinality(writes) < MaxWrites
  /\ Hold(s, state)
  /\ net' = net \cup MessagesOf(s, state)
  /\ writes' = writes \cup {[stamp |-> stamp, kind |-> kind, life |-> state.life, vec |-> state.vec, knew |-> seen[s]]}
  /\ UNCHANGED <<now, ahead, burial, resends, removed, logged>>

First(s, t) ==
  [there |-> TRUE, inc |-> 0, vec |-> [NoVector EXCEPT ![s] = t],
   \* Says that it is not deleted, since a delete that it has not seen may be under way.
   \* It is also the part that no later write replaces, as `createdAt` is.
   del |-> IF Broken = "every-part-can-be-replaced" THEN <<0, FALSE>> ELSE <<t, FALSE>>,
   reg |-> t, ctr |-> Empty, base |-> Empty, set |-> {}, life |-> {t}]

Create(s) ==
  \/ /\ ~IsThere(rec[s])
     /\ LET t == Next_(s, 0) IN Write(s, "create", First(s, t), t)
  \/ /\ IsGone(rec[s])
     /\ LET t == Next_(s, Newest(rec[s]))
            vec == [rec[s].vec EXCEPT ![s] = t]
        IN Write(s, "create",
             IF Broken = "no-incarnation"
             THEN \* The rule of old: the creation clears all that it has seen of every field.
                  [rec[s] EXCEPT !.vec = vec, !.del = <<t, FALSE>>, !.reg = t, !.base = rec[s].ctr, !.set = {},
                                 !.life = {t}]
             ELSE [there |-> TRUE, inc |-> rec[s].inc + 1, vec |-> vec, del |-> <<t, FALSE>>, reg |-> t,
                   ctr |-> Empty, base |-> Empty, set |-> {}, life |-> {t}], t)

Update(s) ==
  /\ IsLive(rec[s])
  /\ LET t == Next_(s, Newest(rec[s]))
         old == rec[s]
         at == [old EXCEPT !.vec[s] = t]
     IN \/ /\ "inc" \in Kinds
           /\ Write(s, "inc", [at EXCEPT !.ctr[s] = <<t, @[2] + 1>>], t)
        \/ /\ "add" \in Kinds
           /\ Write(s, "add", [at EXCEPT !.set = @ \cup {t}], t)
        \/ /\ "set" \in Kinds
           /\ Write(s, "set", [at EXCEPT !.reg = t], t)
        \/ \* A delete keeps no value that it has seen.
           Write(s, "delete", [at EXCEPT !.del = <<t, TRUE>>, !.reg = t, !.base = old.ctr, !.set = {}], t)

Resend(s, p) ==
  LET m == [to |-> p, sent |-> Clock(s), state |-> rec[s]]
  IN /\ resends < MaxResends
     /\ IsThere(rec[s])
     /\ m \notin net
     /\ net' = net \cup {m}
     /\ resends' = resends + 1
     /\ UNCHANGED <<now, ahead, rec, since, burial, writes, seen, removed, logged>>

(***************************************************************************)
(* Removal. The message goes round the peers, one after the other, each of *)
(* which agrees or ends it; then the site that began removes its own copy. *)
(***************************************************************************)
Kept == IF Broken = "no-margin" THEN Horizon ELSE Horizon + Margin
\* Held for so long, and so old by its stamps: the second matters when this clock is behind by more than the margin.
MayGo(s, at) ==
  /\ IsGone(rec[s])
  /\ at - since[s] > Kept
  /\ at - Ms(Newest(rec[s])) > Kept \/ Broken \in {"removal-ignores-stamps", "no-margin"}

BeginBurial(s) ==
  /\ MayGo(s, Clock(s))
  /\ burial[s] = NoBurial
  /\ burial' = [burial EXCEPT ![s] =
       [there |-> TRUE, state |-> rec[s], left |-> Sites \ {s}, began |-> Clock(s)]]
  /\ UNCHANGED <<now, ahead, rec, since, net, resends, writes, seen, removed, logged>>

\* A site that holds the tombstone must have held it for so long already when the removal began: what it sent before it
\* held it is then too late everywhere, also where somebody that holds nothing has agreed in the meantime.
Agrees(p, b) ==
  IF IsThere(rec[p])
  THEN /\ rec[p] = b.state
       /\ MayGo(p, Clock(p))
       /\ Broken = "holds-for-long-when-it-answers" \/ MayGo(p, b.began)
  ELSE Broken = "absent-agrees-unasked" \/ Clock(p) - Ms(Newest(b.state)) > Kept

Agree(s, p) ==
  /\ IsThere(burial[s])
  /\ p \in burial[s].left
  /\ Agrees(p, burial[s])
  /\ burial' = [burial EXCEPT ![s].left = @ \ {p}]
  /\ UNCHANGED <<now, ahead, rec, since, net, resends, writes, seen, removed, logged>>

\* All agreed: its own copy goes if it is still the same.
Remove(s) ==
  /\ IsThere(burial[s])
  /\ burial[s].left = {}
  /\ burial' = [burial EXCEPT ![s] = NoBurial]
  /\ IF rec[s] = burial[s].state THEN Hold(s, Absent) /\ removed' = removed \cup {rec[s].del[1]}
     ELSE UNCHANGED <<rec, since, seen, removed>>
  /\ UNCHANGED <<now, ahead, net, resends, writes, logged>>

Tick ==
  /\ now < MaxTime
  /\ now' = now + 1
  /\ UNCHANGED <<ahead, rec, since, net, burial, resends, writes, seen, removed, logged>>

Init ==
  /\ now = 1
  /\ ahead \in {f \in [Sites -> 0..Skew] : \E s \in Sites : f[s] = 0}
  /\ rec = [s \in Sites |-> IF Begun THEN First(1, 101) ELSE Absent]
  /\ since = [s \in Sites |-> 0]
  /\ net = {}
  /\ burial = [s \in Sites |-> NoBurial]
  /\ resends = 0
  /\ writes = IF Begun THEN {[stamp |-> 101, kind |-> "create", life |-> {101}, vec |-> [NoVector EXCEPT ![1] = 101], knew |-> {}]} ELSE {}
  /\ seen = [s \in Sites |-> {}]
  /\ removed = {}
  /\ logged = {}

Next ==
  \/ Tick
  \/ \E s \in Sites : Create(s) \/ Update(s)
  \/ \E s \in Removers : BeginBurial(s) \/ Remove(s)
  \/ \E s, p \in Sites : s # p /\ (Agree(s, p) \/ Resend(s, p))
  \/ \E m \in net : Deliver(m)

Spec == Init /\ [][Next]_vars

(***************************************************************************)
(* Properties                                                              *)
(***************************************************************************)
Held == {rec[s] : s \in Sites} \ {Absent}
States == Held \cup {m.state : m \in net}

\* The creations that a state grew from, without those that some of these deletes had seen.
Alive(x, deletes) == x.life \ UNION {w.life : w \in {w \in writes : w.kind = "delete" /\ w.stamp \in deletes}}
SeenBy(x) == {w.stamp : w \in {w \in writes : w.kind = "delete" /\ Covers(x.vec, w.stamp)}}

\* Nothing that a site saw deleted is alive there again.
NoReturn == \A s \in Sites : IsLive(rec[s]) => Alive(rec[s], seen[s]) # {}

\* When a tombstone is removed anywhere, nobody holds alive what it ended, or comes to hold it.
RemovedForAll == \A s \in Sites : IsLive(rec[s]) => Alive(rec[s], removed) # {}

\* Of the life that is shown every increment and every element that the vector names counts once, unless a delete had
\* seen it; of others nothing. First creations of an id that have not seen each other are one life.
Shown(x, kind) ==
  {w.stamp : w \in {w \in writes :
     /\ w.kind = kind
     /\ Covers(x.vec, w.stamp)
     /\ w.life \cap x.life # {}
     /\ \A d \in writes : d.kind = "delete" /\ Covers(x.vec, d.stamp) /\ d.life \cap x.life # {} => ~Covers(d.vec, w.stamp)}}
CountsOnce == \A x \in Held : IsLive(x) => Value(x) = Cardinality(Shown(x, "inc"))
ElementsOnce == \A x \in Held : IsLive(x) => x.set = Shown(x, "add")

\* More than is promised: also of first creations that have not seen each other, only those that nobody deleted.
StrictLives ==
  \A x \in Held : IsLive(x) =>
    x.set = {w.stamp : w \in {w \in writes :
      w.kind = "add" /\ Covers(x.vec, w.stamp) /\ w.life \cap Alive(x, SeenBy(x)) # {}}}

\* A vector names a state exactly: so a comparison by vectors is enough, and covered events change nothing.
VectorNames == \A x, y \in States : x.vec = y.vec => x = y

\* Two sites that send each other what they hold, hold the same, whichever was first.
Commutes == \A s, p \in Sites : Merge(rec[s], rec[p]) = Merge(rec[p], rec[s])

\* At rest all hold the same: each has had a fresh message of every other, in one order or another, for some rounds.
\* (The merge is not associative once a tombstone counts as absent, so this is more than the property above.)
Turns == IF Cardinality(Sites) = 2 THEN <<<<1, 2>>, <<2, 1>>>>
         ELSE <<<<1, 2>>, <<2, 3>>, <<3, 1>>, <<2, 1>>, <<1, 3>>, <<3, 2>>>>
Orders == {[i \in 1..Len(Turns) |-> Turns[((i + shift) % Len(Turns)) + 1]] : shift \in 0..Len(Turns) - 1}
RECURSIVE After(_, _, _)
After(held, f, i) ==
  IF i > Len(f) THEN held
  ELSE After(TLCEval([held EXCEPT ![f[i][2]] = Merge(held[f[i][2]], held[f[i][1]])]), f, i + 1)
Converges ==
  (\E s, p \in Sites : rec[s] # rec[p]) =>
    \A f \in Orders :
      LET last == TLCEval(After(TLCEval(After(rec, f, 1)), f, 1))
      IN \A s, p \in Sites : last[s] = last[p]

\* No entry about a delete that the writer of the other value had seen.
Knew(stamp) == UNION {w.knew : w \in {w \in writes : w.stamp = stamp}}
OnlyUnseen == \A c \in logged : c[1] \notin Knew(c[2]) /\ c[2] \notin Knew(c[1])
=============================================================================
