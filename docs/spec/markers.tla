------------------------------- MODULE markers -------------------------------
(***************************************************************************)
(* The ordinary path of one key: local write, forward, sweep, apply, and   *)
(* the markers that say what a peer may lack. Code: local-write.ts,        *)
(* forward.ts, sweep.ts, apply.ts, exposure.ts, await-acceptance.ts.       *)
(*                                                                         *)
(* A state is the version vector that names it: site -> how many of that   *)
(* site's writes it includes. A function may die between any two effects:  *)
(* each effect is a step of its own, and what is between two of them is    *)
(* kept in a set from which it need never be taken.                        *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
  Sites,      \* 1..n
  MaxWrites,  \* local writes in all
  Broken      \* the planted defect, or "none"

VARIABLES
  rec,      \* site -> the state in its store
  pending,  \* site -> peer -> the version that its queue has not accepted, 0 when there is no marker
  unmarked, \* sites that have put a state without its markers (a planted defect)
  outbox,   \* site -> events in its own queue: never taken out, so they come late, again, or never
  read,     \* site -> what the sweep has read, or Nothing
  accepted, \* site -> <<peer, version>> that a peer has accepted and whose marker may be cleared
  inbox,    \* site -> messages in its inbound queue: kept until they are settled
  promised, \* <<site, version>> answered with `Preference-Applied`
  writes    \* local writes so far

vars == <<rec, pending, unmarked, outbox, read, accepted, inbox, promised, writes>>

Nothing == [is |-> "nothing"]
Zero == [s \in Sites |-> 0]
Peers(s) == Sites \ {s}
Max(a, b) == IF a > b THEN a ELSE b
Join(a, b) == [s \in Sites |-> Max(a[s], b[s])]
Includes(a, b) == \A s \in Sites : a[s] >= b[s]

Init ==
  /\ rec = [s \in Sites |-> Zero]
  /\ pending = [s \in Sites |-> Zero]
  /\ unmarked = {}
  /\ outbox = [s \in Sites |-> {}]
  /\ read = [s \in Sites |-> Nothing]
  /\ accepted = [s \in Sites |-> {}]
  /\ inbox = [s \in Sites |-> {}]
  /\ promised = {}
  /\ writes = 0

\* State and markers in one conditional put, and then (perhaps) the event to the site's own queue.
LocalWrite(s) ==
  LET state == [rec[s] EXCEPT ![s] = @ + 1]
      marked == [p \in Sites |-> IF p = s THEN 0 ELSE state[s]]
  IN /\ writes < MaxWrites
     /\ writes' = writes + 1
     /\ rec' = [rec EXCEPT ![s] = state]
     /\ IF Broken = "markers-in-a-second-put"
        THEN unmarked' = unmarked \cup {s} /\ UNCHANGED pending
        ELSE pending' = [pending EXCEPT ![s] = marked] /\ UNCHANGED unmarked
     /\ outbox' = [outbox EXCEPT ![s] = @ \cup {state}]
     /\ UNCHANGED <<read, accepted, inbox, promised>>

SecondPut(s) ==
  /\ s \in unmarked
  /\ unmarked' = unmarked \ {s}
  /\ pending' = [pending EXCEPT ![s] = [p \in Sites |-> IF p = s THEN 0 ELSE rec[s][s]]]
  /\ UNCHANGED <<rec, outbox, read, accepted, inbox, promised, writes>>

\* The peer's queue accepts. A sender that never hears of it, or dies, never takes the step `Clear`.
Send(s, p, state, version) ==
  /\ accepted' = [accepted EXCEPT ![s] = @ \cup {<<p, version>>}]
  /\ \/ inbox' = [inbox EXCEPT ![p] = @ \cup {state}]
     \/ Broken = "refused-counts-as-accepted" /\ UNCHANGED inbox

Forward(s, p) ==
  \E state \in outbox[s] :
    /\ Send(s, p, state, state[s])
    /\ UNCHANGED <<rec, pending, unmarked, outbox, read, promised, writes>>

SweepRead(s) ==
  /\ \E p \in Peers(s) : pending[s][p] > 0
  /\ read' = [read EXCEPT ![s] = [is |-> "read", state |-> rec[s], pending |-> pending[s]]]
  /\ UNCHANGED <<rec, pending, unmarked, outbox, accepted, inbox, promised, writes>>

SweepSend(s, p) ==
  /\ read[s] # Nothing
  /\ read[s].pending[p] > 0
  /\ Send(s, p, read[s].state, read[s].state[s])
  /\ UNCHANGED <<rec, pending, unmarked, outbox, read, promised, writes>>

\* Clears the marker for up to the version that was sent; it may come late.
Clear(s) ==
  \E a \in accepted[s] :
    /\ accepted' = [accepted EXCEPT ![s] = @ \ {a}]
    /\ pending' = [pending EXCEPT ![s][a[1]] =
         IF @ <= a[2] \/ Broken = "clears-any-version" THEN 0 ELSE @]
    /\ UNCHANGED <<rec, unmarked, outbox, read, inbox, promised, writes>>

\* The merged state becomes durable; the message is settled afterwards, or comes again.
Apply(p) ==
  \E state \in inbox[p] :
    /\ ~Includes(rec[p], state)
    /\ rec' = [rec EXCEPT ![p] = Join(@, state)]
    /\ UNCHANGED <<pending, unmarked, outbox, read, accepted, inbox, promised, writes>>

Settle(p) ==
  \E state \in inbox[p] :
    /\ Includes(rec[p], state) \/ Broken = "settled-before-it-is-durable"
    /\ inbox' = [inbox EXCEPT ![p] = @ \ {state}]
    /\ UNCHANGED <<rec, pending, unmarked, outbox, read, accepted, promised, writes>>

\* `durability=all`: the record's own markers are gone.
Promise(s) ==
  /\ rec[s][s] > 0
  /\ <<s, rec[s][s]>> \notin promised
  /\ IF Broken = "one-peer-is-enough" THEN \E p \in Peers(s) : pending[s][p] = 0
     ELSE \A p \in Peers(s) : pending[s][p] = 0
  /\ promised' = promised \cup {<<s, rec[s][s]>>}
  /\ UNCHANGED <<rec, pending, unmarked, outbox, read, accepted, inbox, writes>>

Next ==
  \E s \in Sites :
    \/ LocalWrite(s) \/ SecondPut(s) \/ SweepRead(s) \/ Clear(s) \/ Apply(s) \/ Settle(s) \/ Promise(s)
    \/ \E p \in Peers(s) : Forward(s, p) \/ SweepSend(s, p)

\* What is tried again and again works at last: the sweep, clearing, applying and settling. Forward need not.
ClearOf(s, a) ==
  /\ a \in accepted[s]
  /\ accepted' = [accepted EXCEPT ![s] = @ \ {a}]
  /\ pending' = [pending EXCEPT ![s][a[1]] = IF @ <= a[2] THEN 0 ELSE @]
  /\ UNCHANGED <<rec, unmarked, outbox, read, inbox, promised, writes>>

Versions == 1..MaxWrites
Fairness ==
  \A s \in Sites :
    /\ IF Broken = "no-sweep" THEN TRUE ELSE SF_vars(SweepRead(s))
    /\ \A p \in Peers(s) : IF Broken = "no-sweep" THEN TRUE ELSE SF_vars(SweepSend(s, p))
    /\ \A p \in Peers(s), v \in Versions : SF_vars(ClearOf(s, <<p, v>>))
    /\ WF_vars(Apply(s))
    /\ WF_vars(Settle(s))

Spec == Init /\ [][Next]_vars
FairSpec == Spec /\ Fairness

(***************************************************************************)
(* Properties                                                              *)
(***************************************************************************)
\* The durable queue or the store of p has write number n of s.
Has(p, s, n) == rec[p][s] >= n \/ \E state \in inbox[p] : state[s] >= n

\* Exposure is honest: what a peer's queue and store both lack carries a marker at its origin.
Honest == \A s \in Sites : \A p \in Peers(s) : Has(p, s, rec[s][s]) \/ pending[s][p] = rec[s][s]

\* `durability=all` means every peer's durable queue.
Durable == \A w \in promised : \A p \in Peers(w[1]) : Has(p, w[1], w[2])

AtRest == \A s \in Sites : inbox[s] = {} /\ s \notin unmarked /\ \A p \in Peers(s) : pending[s][p] = 0
ConvergedAtRest == AtRest => \A s, p \in Sites : rec[s] = rec[p]

\* Once nobody writes, all hold the same, and no marker remains, for good.
Converges == <>[](\A s, p \in Sites : rec[s] = rec[p] /\ pending[s][p] = 0)
=============================================================================
