--------------------------- MODULE keyed_requests ---------------------------
(***************************************************************************)
(* What a record remembers, so that a retry finds its own effect: the      *)
(* keyed requests (the first and the newest n; a set that crosses), and    *)
(* the last k operation ids of its site (which never cross). Code:         *)
(* domain/request-memory.ts, domain/entity-service.ts, local-write.ts.     *)
(*                                                                         *)
(* A request that is remembered does nothing, so it is no step here. A     *)
(* client may send any request again at any time at any site.              *)
(***************************************************************************)
EXTENDS Integers, FiniteSets, Sequences

CONSTANTS
  Sites,       \* 1..n
  Requests,    \* keys
  Newest,      \* keyed requests remembered besides the first
  Operations,  \* operation ids remembered; 0 leaves operations out
  MaxWrites,   \* local writes in all
  Others,      \* writes without a key: subset of {"create", "delete"}
  Broken       \* the planted defect, or "none"

VARIABLES
  rec,      \* site -> record
  ops,      \* site -> the last operation ids, newest last
  open,     \* site -> the operation whose answer was lost, or 0
  time,     \* the newest stamp
  effects,  \* <<request, site, stamp>>: what took effect, for the properties only
  revived,  \* <<request, stamp>>: made alive again what a delete had ended after an earlier effect of the request
  own,      \* site -> the stamps of its writes
  repeated  \* <<site, operation, number of others since>>: operations that took effect twice

vars == <<rec, ops, open, time, effects, revived, own, repeated>>

Absent == [there |-> FALSE, live |-> FALSE, inc |-> 0, mem |-> {}, vec |-> [s \in Sites |-> 0]]
Max(a, b) == IF a > b THEN a ELSE b
JoinVec(a, b) == [s \in Sites |-> Max(a[s], b[s])]

Init ==
  /\ rec = [s \in Sites |-> Absent]
  /\ ops = [s \in Sites |-> <<>>]
  /\ open = [s \in Sites |-> 0]
  /\ time = 0
  /\ effects = {}
  /\ revived = {}
  /\ own = [s \in Sites |-> {}]
  /\ repeated = {}

(***************************************************************************)
(* The memory: slots <<request, site, stamp>> of an add-wins set. A        *)
(* request is as old as its oldest slot.                                   *)
(***************************************************************************)
Names(mem) == {m[1] : m \in mem}
Age(mem, r) == CHOOSE t \in {m[3] : m \in {m \in mem : m[1] = r}} :
                 \A m \in mem : m[1] = r => t <= m[3]
Older(mem, r) == {q \in Names(mem) : Age(mem, q) < Age(mem, r)}
Limit == IF Broken = "remembers-one-fewer" THEN Newest - 1 ELSE Newest
\* Without the oldest, the very first excepted, so that with one more they are as many as may be.
Spared(mem) ==
  LET spare == Max(0, Cardinality(Names(mem)) + 1 - (Limit + 1))
      first == IF Broken = "forgets-the-first" THEN 0 ELSE 1
      gone == {r \in Names(mem) : Cardinality(Older(mem, r)) \in first..first + spare - 1}
  IN {m \in mem : m[1] \notin gone}
Keep(A, B, vecA, vecB) ==
  {m \in A : m \in B \/ vecB[m[2]] < m[3]} \cup {m \in B : m \in A \/ vecA[m[2]] < m[3]}

(***************************************************************************)
(* Writes                                                                  *)
(***************************************************************************)
Tail_(q) == IF Len(q) > Operations THEN SubSeq(q, Len(q) - Operations + 1, Len(q)) ELSE q
Put(s, live, mem) ==
  /\ time < MaxWrites
  /\ time' = time + 1
  /\ rec' = [rec EXCEPT ![s] =
       [there |-> TRUE, live |-> live,
        inc |-> IF live /\ @.there /\ ~@.live THEN @.inc + 1 ELSE @.inc,
        mem |-> mem, vec |-> [@.vec EXCEPT ![s] = time + 1]]]
  /\ ops' = [ops EXCEPT ![s] = Tail_(Append(@, time + 1))]
  /\ own' = [own EXCEPT ![s] = @ \cup {time + 1}]
  \* The answer of the store may be lost: then the operation is tried again, later.
  /\ open' \in IF Operations = 0 THEN {open} ELSE {open, [open EXCEPT ![s] = time + 1]}

\* What a creation over a tombstone keeps of the memory.
Inherited(s) == IF Broken = "memory-ends-with-the-life" /\ ~rec[s].live THEN {} ELSE rec[s].mem

\* A keyed request that creates or replaces, not remembered here. A record that is gone refuses those that are remembered.
Take(s, r) ==
  /\ r \notin Names(rec[s].mem)
  /\ Put(s, TRUE, Spared(Inherited(s)) \cup {<<r, s, time + 1>>})
  /\ effects' = effects \cup {<<r, s, time + 1>>}
  /\ revived' = IF rec[s].there /\ ~rec[s].live /\ \E e \in effects : e[1] = r /\ rec[s].vec[e[2]] >= e[3]
                THEN revived \cup {<<r, time + 1>>} ELSE revived
  /\ UNCHANGED repeated

Other(s) ==
  /\ \/ "create" \in Others /\ ~rec[s].live /\ Put(s, TRUE, Inherited(s))
     \/ "delete" \in Others /\ rec[s].live /\ Put(s, FALSE, rec[s].mem)
  /\ UNCHANGED <<effects, revived, repeated>>

\* The loop of a write after a time-out: it reads, and goes by what the record remembers.
TryAgain(s) ==
  /\ open[s] # 0
  /\ open' = [open EXCEPT ![s] = 0]
  /\ repeated' = IF \E i \in DOMAIN ops[s] : ops[s][i] = open[s] THEN repeated
                 ELSE repeated \cup {<<s, open[s], Cardinality({t \in own[s] : t > open[s]})>>}
  /\ UNCHANGED <<rec, ops, time, effects, revived, own>>

Merge(a, b) ==
  IF ~b.there THEN a ELSE IF ~a.there THEN b
  ELSE LET whole == IF a.inc > b.inc THEN a ELSE IF b.inc > a.inc THEN b
                    ELSE [a EXCEPT !.live = a.live /\ b.live]
       IN [whole EXCEPT !.vec = JoinVec(a.vec, b.vec),
                        !.mem = IF Broken = "memory-ends-with-the-life" /\ a.inc # b.inc THEN whole.mem
                                ELSE Keep(a.mem, b.mem, a.vec, b.vec)]

Cross(s, p) ==
  /\ Merge(rec[p], rec[s]) # rec[p]
  /\ rec' = [rec EXCEPT ![p] = Merge(@, rec[s])]
  /\ ops' = IF Broken = "apply-forgets-operations" THEN [ops EXCEPT ![p] = <<>>] ELSE ops
  /\ UNCHANGED <<open, time, effects, revived, own, repeated>>

Next ==
  \E s \in Sites :
    \/ \E r \in Requests : Take(s, r)
    \/ Other(s)
    \/ TryAgain(s)
    \/ \E p \in Sites \ {s} : Cross(s, p)

Spec == Init /\ [][Next]_vars

(***************************************************************************)
(* Properties                                                              *)
(***************************************************************************)
\* Other requests that took effect anywhere after a stamp and before another.
Between(r, from, to) == {e[1] : e \in {e \in effects : e[1] # r /\ from < e[3] /\ e[3] < to}}
First(r) == CHOOSE t \in {e[3] : e \in {e \in effects : e[1] = r}} : \A e \in effects : e[1] = r => t <= e[3]

\* A request takes effect once at a site, unless n others came in between since it first took effect anywhere.
OnceAtASite ==
  \A e, f \in effects : e[1] = f[1] /\ e[2] = f[2] /\ e[3] < f[3] =>
    Cardinality(Between(e[1], First(e[1]), f[3])) >= Newest
\* The request that wrote first of all is never forgotten where it took effect.
FirstStays == \A e, f \in effects : e[1] = f[1] /\ e[2] = f[2] /\ e[3] = 1 => f[3] = 1
\* Not promised: n others since it took effect at this very site.
OnceSinceHere ==
  \A e, f \in effects : e[1] = f[1] /\ e[2] = f[2] /\ e[3] < f[3] =>
    Cardinality(Between(e[1], e[3], f[3])) >= Newest
\* Not promised: that it needs more than n others.
OnceAfterMore ==
  \A e, f \in effects : e[1] = f[1] /\ e[2] = f[2] /\ e[3] < f[3] =>
    Cardinality(Between(e[1], First(e[1]), f[3])) > Newest
\* A retry never brings back what was deleted, within the same bound.
NoRevival == \A v \in revived : Cardinality(Between(v[1], First(v[1]), v[2])) >= Newest
\* An operation takes effect once, unless k others of this site came in between.
OperationOnce == \A r \in repeated : r[3] >= Operations
\* Not promised: that it needs more than k others.
OperationAfterMore == \A r \in repeated : r[3] > Operations
=============================================================================
