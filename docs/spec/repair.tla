------------------------------- MODULE repair -------------------------------
(***************************************************************************)
(* Site A has merged what site C wrote; a comparison finds that site B     *)
(* lacks it, since C's message to B was lost by a queue that had accepted  *)
(* it. Repair at A sets a marker for B, then sends. Code: repair.ts,       *)
(* forward.ts, sweep.ts.                                                   *)
(*                                                                         *)
(* Only one direction, A to B, with C as the writer of what is lacking.    *)
(* Stamps are numbers; C's clock may be ahead of A's or behind it. A       *)
(* marker is <<stamp, suffix>>; without a suffix 0. They sort as texts do: *)
(* by the stamp, then the suffix.                                          *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
  MaxStamp,    \* stamps are 1..MaxStamp
  MaxRepairs,  \* repairs in all
  Marks,       \* the rule of the marker: "own", "newest", "suffix" (by a clock) or "unique" (by chance, cleared exactly)
  ClockJumps   \* FALSE: the clock of A moves on from one repair to the next; TRUE: it may also stand still or go back

VARIABLES
  ours,      \* stamps of A's writes and of C's that A's record holds
  version,   \* of A's record: <<stamp, suffix>>
  marker,    \* for B, or None
  outbox,    \* A's own events: <<state, version>>; they come late, again, or never
  repairing, \* repairs that have set their marker and not sent yet: <<state, version>>
  read,      \* what the sweep has read: {} or {<<state, version, marker>>}
  accepted,  \* what B's queue accepted, and whose marker may still be cleared: <<version, by>>
  arrived,   \* stamps that B's queue or store has
  fromC,     \* C's writes that have not reached A yet
  owed,      \* stamps that a comparison found lacking at B
  used,      \* stamps in use
  clock,     \* of A, where suffixes come from
  repairs

vars == <<ours, version, marker, outbox, repairing, read, accepted, arrived, fromC, owed, used, clock, repairs>>

None == <<0, 0>>
Stamps == 1..MaxStamp
NewestOf(S) == IF S = {} THEN 0 ELSE CHOOSE t \in S : \A u \in S : u <= t
Upto(a, b) == a[1] < b[1] \/ (a[1] = b[1] /\ a[2] <= b[2])
Later(a, b) == IF Upto(a, b) THEN b ELSE a

Init ==
  /\ ours = {} /\ version = None /\ marker = None
  /\ outbox = {} /\ repairing = {} /\ read = {} /\ accepted = {}
  /\ arrived = {} /\ fromC = {} /\ owed = {} /\ used = {}
  /\ clock = 2 /\ repairs = 0

\* A stamp is later than all that the record has seen.
WriteA ==
  \E t \in Stamps \ used :
    /\ t > NewestOf(ours) /\ t > version[1]
    /\ ours' = ours \cup {t}
    /\ version' = <<t, 0>>
    /\ marker' = <<t, 0>>
    /\ outbox' = outbox \cup {<<ours', version'>>}
    /\ used' = used \cup {t}
    /\ UNCHANGED <<repairing, read, accepted, arrived, fromC, owed, clock, repairs>>

\* C's message to B is lost, or not.
WriteC ==
  \E t \in Stamps \ used :
    /\ used' = used \cup {t}
    /\ fromC' = fromC \cup {t}
    /\ arrived' \in {arrived, arrived \cup {t}}
    /\ UNCHANGED <<ours, version, marker, outbox, repairing, read, accepted, owed, clock, repairs>>

\* Applying never touches markers.
ApplyAtA ==
  \E t \in fromC :
    /\ fromC' = fromC \ {t}
    /\ ours' = ours \cup {t}
    /\ UNCHANGED <<version, marker, outbox, repairing, read, accepted, arrived, owed, used, clock, repairs>>

\* B's queue has it. A sender that never hears of it never takes the step `Clear`.
Send(state, v, by) ==
  /\ arrived' = arrived \cup state
  /\ accepted' = accepted \cup {<<v, by>>}

Forward ==
  \E e \in outbox :
    /\ Send(e[1], e[2], "forward")
    /\ UNCHANGED <<ours, version, marker, outbox, repairing, read, fromC, owed, used, clock, repairs>>

Repair ==
  /\ repairs < MaxRepairs
  /\ ours \ arrived # {}
  /\ \E step \in IF ClockJumps THEN {-1, 0, 1} ELSE {1} :
       LET newest == <<NewestOf(ours), 0>>
           new == CASE Marks = "own" -> IF version = None THEN newest ELSE version
                    [] Marks = "newest" -> Later(<<version[1], 0>>, newest)
                    [] Marks = "suffix" -> <<Later(version, newest)[1], clock + step>>
                    [] Marks = "unique" -> <<Later(version, newest)[1], 10 + repairs>>
       IN /\ clock + step > 0
          /\ clock' = IF Marks = "suffix" THEN clock + step ELSE clock
          /\ marker' = IF Marks = "unique" THEN new ELSE Later(marker, new)
          /\ version' = <<new[1], 0>>
          /\ repairing' = repairing \cup {<<ours, new>>}
  /\ owed' = owed \cup (ours \ arrived)
  /\ repairs' = repairs + 1
  /\ UNCHANGED <<ours, outbox, read, accepted, arrived, fromC, used>>

\* A repair that dies never takes this step.
RepairSends ==
  \E r \in repairing :
    /\ repairing' = repairing \ {r}
    /\ Send(r[1], r[2], "repair")
    /\ UNCHANGED <<ours, version, marker, outbox, read, fromC, owed, used, clock, repairs>>

SweepReads ==
  /\ marker # None
  /\ read' = {<<ours, marker>>}
  /\ UNCHANGED <<ours, version, marker, outbox, repairing, accepted, arrived, fromC, owed, used, clock, repairs>>

SweepSends ==
  \E r \in read :
    /\ read' = {}
    /\ Send(r[1], r[2], "sweep")
    /\ UNCHANGED <<ours, version, marker, outbox, repairing, fromC, owed, used, clock, repairs>>

\* The sweep clears exactly the marker that it read; forward and repair for up to the version that they sent.
Clear ==
  \E a \in accepted :
    /\ accepted' = accepted \ {a}
    /\ marker' = IF (IF a[2] = "sweep" \/ (Marks = "unique" /\ a[2] = "repair") THEN marker = a[1]
                     ELSE Upto(marker, a[1]))
                 THEN None ELSE marker
    /\ UNCHANGED <<ours, version, outbox, repairing, read, arrived, fromC, owed, used, clock, repairs>>

Next ==
  WriteA \/ WriteC \/ ApplyAtA \/ Forward \/ Repair \/ RepairSends \/ SweepReads \/ SweepSends \/ Clear

Spec == Init /\ [][Next]_vars

\* What B lacked when a repair began is there, or marked. (A repair that has not sent yet may die: it does not count.)
MarkedOrThere == owed \subseteq arrived \/ marker # None
\* The same of every write of A.
OwnMarkedOrThere == version # None /\ version[1] \in ours => version[1] \in arrived \/ marker # None
=============================================================================
