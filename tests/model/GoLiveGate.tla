----------------------------- MODULE GoLiveGate -----------------------------
(* One GoLive, its gate, the operators that write it and the engine that obeys it.

   The API server holds two objects: the GoLive (rev, author, appr; st) and the gate (cm). A write to one
   of them is atomic; nothing spans both. An operator looks, decides, and then makes its writes one by one,
   so anything may happen in between. A crash is an operator that takes no further step, a restart is Elect.
   Nobody tells a leader that it was deposed: it may freeze, thaw and go on.

   Missing names the guards that are taken out. With none missing, S1 to S7 hold. *)
EXTENDS Integers, FiniteSets, Sequences, TLC

CONSTANTS
  Users,       \* who may request, approve and withdraw
  Operators,   \* replicas of the operator
  Quorum,      \* how many approvals it takes
  MaxRevision, \* last revision of the request
  MaxDigest,   \* last version of the engine's template and configuration
  MaxEpoch,    \* elections
  MaxClock,    \* last moment
  OpenHours,   \* moments that lie in an activation window
  TTL,         \* how long a look may be relied on
  MaxGap,      \* the longest time between two looks at an open gate that burns nothing
  LookTime,    \* how long a look may take
  Troubles,    \* what may befall: "fault" (watching finds something wrong), "stop" (an EmergencyStop exists)
  Skew,        \* how far the engine's wall clock may be off, either way
  BurnBy,      \* what is written first to burn a revision: "gate", "status", or "mixed": the gate if it is open
  Missing      \* guards that are taken out

VARIABLES
  clock,
  rev, author, appr, \* spec of the GoLive: revision, who asked for it, what each person approved
  dig,               \* digest of the engine as it is
  trouble,           \* "none", then one of Troubles, then "over"
  st, cm,            \* status of the GoLive, as far as it describes this generation; the gate
  op, epoch,         \* each operator's term and look; the latest term
  wire, eng,         \* the gate's event on its way to the engine; what the engine believes
  legit, final       \* ghosts: when each content was last legitimate; revisions that were shut for good
vars == <<clock, rev, author, appr, dig, trouble, st, cm, op, epoch, wire, eng, legit, final>>

Kept(guard) == guard \notin Missing
Min(a, b) == IF a < b THEN a ELSE b
Max(a, b) == IF a > b THEN a ELSE b
People == Permutations(Users) \cup Permutations(Operators)

Contents == (1..MaxRevision) \X (1..MaxDigest) \* what an approval is bound to
Nothing == <<0, 0>>
NoLook == [todo |-> <<>>]
NoEvent == [t |-> 0]
NoTrust == [until |-> 0]
Silent == [open |-> FALSE, content |-> Nothing]
Shut(state) == [state |-> state, content |-> Nothing, t |-> 0, late |-> FALSE, proven |-> TRUE, mark |-> 0]

Init ==
  /\ clock = 1 /\ rev = 1 /\ author \in Users /\ appr = [u \in Users |-> Nothing] /\ dig = 1 /\ trouble = "none"
  /\ st = Silent @@ [burned |-> 0, epoch |-> 0] /\ cm = Shut("closed") @@ [epoch |-> 0]
  /\ op = [o \in Operators |-> [epoch |-> 0, look |-> NoLook]] /\ epoch = 0
  /\ wire = NoEvent /\ eng = NoTrust /\ legit = [c \in Contents |-> 0] /\ final = {}

-----------------------------------------------------------------------------
\* What is so, whoever looks

Approvers(c) == {u \in Users : appr[u] = c}
Approved(c) == c[1] = rev /\ Cardinality(Approvers(c) \ {author}) >= Quorum
Legitimate(c) ==
  Approved(c) /\ c[2] = dig /\ clock \in OpenHours /\ trouble \notin {"fault", "stop"} /\ rev \notin final

\* What an operator sees, in a look that began at t

Braked == cm.state = "braked"                        \* a person set the gate to Closed, or deleted it
OpenNow == cm.state = "open" /\ cm.content[1] = rev
RolledBack == trouble = "fault" /\ OpenNow
Stopped == trouble = "stop"
Lapsed(t) == OpenNow /\ t > cm.t + MaxGap
MustBurn(t) == Braked \/ RolledBack \/ Stopped \/ Lapsed(t)
Burns(t) ==
  \/ Braked /\ Kept("brake")
  \/ RolledBack /\ Kept("rollback")
  \/ Stopped /\ Kept("stop")
  \/ Lapsed(t) /\ Kept("lapse")
  \/ st.burned >= rev /\ Kept("burned")
  \/ cm.mark = rev /\ Kept("mark")

Counted ==
  {u \in Users : /\ Kept("four eyes") => u # author
                 /\ IF Kept("content") THEN appr[u] = <<rev, dig>> ELSE appr[u] # Nothing}
MayOpen(t) ==
  /\ Cardinality(Counted) >= Quorum
  /\ Kept("window") => t \in OpenHours
  /\ Kept("window at the end") => clock \in OpenHours
  /\ trouble # "fault" /\ (Kept("stop") => trouble # "stop")

\* What it then writes, in this order

Renews(o) == OpenNow /\ cm.content = <<rev, dig>> /\ st.open /\ st.epoch = op[o].epoch /\ cm.epoch = op[o].epoch
Todo(o, plan) ==
  CASE plan = "open" -> IF Renews(o) THEN <<"gate">> ELSE <<"status", "gate">>
    [] plan = "close" -> IF Kept("closing first") THEN <<"gate", "status">> ELSE <<"status", "gate">>
    [] plan = "burn" -> IF BurnBy = "gate" \/ (BurnBy = "mixed" /\ cm.state = "open")
                        THEN <<"gate", "status">> ELSE <<"status", "gate">>
NextWrite(o) == LET todo == op[o].look.todo IN IF todo = <<>> THEN "none" ELSE Head(todo)
Done(look) == IF Len(look.todo) = 1 THEN NoLook ELSE [look EXCEPT !.todo = Tail(look.todo)]

\* A write is refused once its object has changed, and those that follow are not made

Refused(look, writes) ==
  LET cut == {i \in 1..Len(look.todo) : look.todo[i] \in writes}
      first == CHOOSE i \in cut : \A j \in cut : i <= j
  IN IF cut = {} THEN look
     ELSE IF first = 1 THEN NoLook ELSE [look EXCEPT !.todo = SubSeq(look.todo, 1, first - 1)]
ObjectSeen(look) ==
  IF Kept("status version") THEN Refused(look, {"status"})
  ELSE IF Refused(look, {"status"}) = look THEN look ELSE [look EXCEPT !.current = FALSE]
GateSeen(look) == IF Kept("gate version") THEN Refused(look, {"gate"}) ELSE look

Specified ==     \* the spec has changed: what status says is of an earlier generation
  /\ op' = [o \in Operators |-> [op[o] EXCEPT !.look = ObjectSeen(@)]]
  /\ st' = Silent @@ st
StatusBy(o) ==
  op' = [p \in Operators |-> [op[p] EXCEPT !.look = IF p = o THEN Done(@) ELSE ObjectSeen(@)]]
GateBy(o) ==
  op' = [p \in Operators |-> [op[p] EXCEPT !.look = IF p = o THEN Done(@) ELSE GateSeen(@)]]

-----------------------------------------------------------------------------
\* People

Edit(u) ==       \* also: disable, then enable again
  /\ rev < MaxRevision /\ rev' = rev + 1 /\ author' = u
  /\ appr' = IF Kept("content") THEN [v \in Users |-> Nothing] ELSE appr
  /\ Specified /\ UNCHANGED <<clock, dig, trouble, cm, epoch, wire, eng, final>>
Approve(u) ==
  /\ Kept("four eyes") => u # author
  /\ appr[u] # <<rev, dig>> /\ appr' = [appr EXCEPT ![u] = <<rev, dig>>]
  /\ Specified /\ UNCHANGED <<clock, rev, author, dig, trouble, cm, epoch, wire, eng, final>>
Withdraw(u) ==
  /\ appr[u] # Nothing /\ appr' = [appr EXCEPT ![u] = Nothing]
  /\ Specified /\ UNCHANGED <<clock, rev, author, dig, trouble, cm, epoch, wire, eng, final>>
PullBrake ==     \* set the gate to Closed, or delete it
  /\ cm.state # "braked" /\ cm' = Shut("braked") @@ cm
  /\ final' = final \cup {IF cm.state = "open" THEN cm.content[1] ELSE rev}
  /\ op' = [o \in Operators |-> [op[o] EXCEPT !.look = GateSeen(@)]]
  /\ UNCHANGED <<clock, rev, author, appr, dig, trouble, st, epoch, wire, eng>>

\* The world

Tick ==          \* what is over is forgotten
  /\ clock < MaxClock /\ clock' = clock + 1
  /\ eng' = IF eng.until > clock' THEN eng ELSE NoTrust
  /\ wire' = IF wire.t > 0 /\ wire.t + TTL + Skew > clock' THEN wire ELSE NoEvent
  /\ UNCHANGED <<rev, author, appr, dig, trouble, st, cm, op, epoch, final>>
ChangeEngine ==
  /\ dig < MaxDigest /\ dig' = dig + 1
  /\ UNCHANGED <<clock, rev, author, appr, trouble, st, cm, op, epoch, wire, eng, final>>
Befall ==
  /\ \/ trouble = "none" /\ trouble' \in Troubles
     \/ trouble \in {"fault", "stop"} /\ trouble' = "over"
  /\ UNCHANGED <<clock, rev, author, appr, dig, st, cm, op, epoch, wire, eng, final>>

-----------------------------------------------------------------------------
\* Operators

Elect(o) ==
  /\ epoch < MaxEpoch /\ epoch' = epoch + 1
  /\ op' = [op EXCEPT ![o] = [epoch |-> epoch + 1, look |-> NoLook]]
  /\ UNCHANGED <<clock, rev, author, appr, dig, trouble, st, cm, wire, eng, final>>

Look(o) ==
  /\ op[o].epoch > 0
  /\ \E t \in Max(1, clock - LookTime)..clock :
       LET plan == IF Burns(t) THEN "burn" ELSE IF MayOpen(t) THEN "open" ELSE "close"
           late == rev \in final \/ MustBurn(t)
       IN op' = [op EXCEPT ![o].look =
            [todo |-> Todo(o, plan), plan |-> plan, late |-> late, current |-> TRUE,
             content |-> IF plan = "close" /\ ~late THEN Nothing ELSE <<rev, dig>>,
             t |-> IF plan = "open" THEN t ELSE 0]]
  /\ UNCHANGED <<clock, rev, author, appr, dig, trouble, st, cm, epoch, wire, eng, final>>

Shutting(look) == final' = IF look.late THEN final \cup {look.content[1]} ELSE final

WriteStatus(o) ==
  LET look == op[o].look IN
  /\ NextWrite(o) = "status" /\ (Kept("fence") => op[o].epoch >= st.epoch)
  /\ st' = (IF look.plan = "open" /\ look.current THEN [open |-> TRUE, content |-> look.content] ELSE Silent)
           @@ [burned |-> IF look.plan = "burn" THEN Max(st.burned, look.content[1]) ELSE st.burned,
               epoch |-> op[o].epoch]
  /\ StatusBy(o) /\ Shutting(look)
  /\ UNCHANGED <<clock, rev, author, appr, dig, trouble, cm, epoch, wire, eng>>

WriteGate(o) ==
  LET look == op[o].look IN
  /\ NextWrite(o) = "gate" /\ (Kept("fence") => op[o].epoch >= cm.epoch)
  /\ GateBy(o) /\ Shutting(look)
  /\ IF look.plan = "open"
     THEN /\ cm' = [state |-> "open", content |-> look.content, late |-> look.late, proven |-> look.current,
                    mark |-> 0, epoch |-> op[o].epoch, t |-> IF Kept("time of the look") THEN look.t ELSE clock]
          /\ wire' = [content |-> look.content, t |-> cm'.t]
     ELSE /\ Kept("closing exempt") \/ clock \in OpenHours
          /\ cm' = [mark |-> IF look.plan = "burn" THEN look.content[1] ELSE 0, epoch |-> op[o].epoch]
                   @@ Shut("closed")
          /\ wire' = wire
  /\ UNCHANGED <<clock, rev, author, appr, dig, trouble, st, epoch, eng>>

-----------------------------------------------------------------------------
\* The engine

Believe(event, slack) ==  \* its wall clock is off by Skew when the event arrives; the monotonic one starts then
  \E off \in {0 - Skew, Skew} :
    LET wall == event.t + TTL + off
        monotonic == clock + TTL
        until == IF ~Kept("monotonic clock") THEN wall ELSE IF ~Kept("wall clock") THEN monotonic
                 ELSE Min(wall, monotonic)
    IN eng' = IF until > clock THEN [until |-> until, content |-> event.content, slack |-> slack] ELSE NoTrust

Hear ==          \* a change on a live watch, with a serial never seen before
  /\ wire # NoEvent /\ Believe(wire, Min(Skew, clock - wire.t)) /\ wire' = NoEvent
  /\ UNCHANGED <<clock, rev, author, appr, dig, trouble, st, cm, op, epoch, final>>
HearAgain ==     \* what a list shows, or an old record in a new event, proves no living operator
  /\ ~Kept("news only") /\ cm.state = "open" /\ Believe(cm, 0)
  /\ UNCHANGED <<clock, rev, author, appr, dig, trouble, st, cm, op, epoch, wire, final>>

-----------------------------------------------------------------------------
Forgotten(t) == t + TTL + Skew <= clock'
Watched ==       \* the ghost that notes when each content was last legitimate
  legit' = [c \in Contents |-> IF Legitimate(c)' THEN clock' ELSE IF Forgotten(legit[c]) THEN 0 ELSE legit[c]]

Next ==
  /\ \/ \E u \in Users : Edit(u) \/ Approve(u) \/ Withdraw(u)
     \/ PullBrake \/ Tick \/ ChangeEngine \/ Befall
     \/ \E o \in Operators : Elect(o) \/ Look(o) \/ WriteStatus(o) \/ WriteGate(o)
     \/ Hear \/ HearAgain
  /\ Watched
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
\* Promises

Passes == eng.until > clock
Leads(o) == op[o].epoch = epoch /\ epoch > 0

\* An Open status that describes this generation means that this revision has its approvals.
S1_OpenMeansApproved ==
  st.open => st.content[1] = rev /\ Cardinality(Approvers(st.content)) >= Quorum
\* The engine passes orders for less than TTL, and what skew adds, after a moment at which that was legitimate.
\* Skew adds no more than the error of the wall clock, and no more than the time from the look to the receipt.
S2_OrdersEndInTime ==
  Passes => legit[eng.content] > 0 /\ clock < legit[eng.content] + TTL + eng.slack
\* Nobody's own approval counts towards their own request.
S3_FourEyes == st.open => Cardinality(Approvers(st.content) \ {author}) >= Quorum
\* No look that began after a revision was shut for good opens it.
S4_BurnedStaysShut == ~(cm.state = "open" /\ cm.late)
\* A person can always shut the gate, and the leader whose look wants an open gate shut waits for nothing.
S5_ClosingIsNeverBlocked ==
  /\ cm.state = "open" => ENABLED PullBrake
  /\ \A o \in Operators : Leads(o) /\ op[o].look # NoLook =>
       (op[o].look.plan # "open" /\ cm.state = "open" /\ op[o].look.todo # <<"status">> => ENABLED WriteGate(o))
\* The gate opens only after status, written of the object as it was looked at, has said so.
S6_OpensWhatIs == cm.state = "open" => cm.proven

\* A revision that was shut for good is not opened, not even by a look that began before.
S7_ShutIsFinal == [][cm' # cm /\ cm'.state = "open" => cm'.content[1] \notin final]_vars

\* Nobody edits, withdraws or pulls the brake: what is left are the operators among themselves.
NobodyInterferes ==
  /\ rev' = rev /\ cm'.state # "braked" /\ dig' = dig
  /\ \A u \in Users : appr[u] # Nothing => appr'[u] = appr[u]

-----------------------------------------------------------------------------
\* Each of these must be violated: the model can do it

NeverPasses == ~Passes
NeverBurns == st.burned = 0
NeverTwoLeaders == \A o \in Operators : op[o].epoch > 0 => Leads(o)
NeverPassesAgain == ~(Passes /\ st.burned = 1 /\ eng.content[1] = 2)
NeverLapses == ~Lapsed(clock)
NeverSlackens == ~(Passes /\ eng.slack > 0 /\ clock >= legit[eng.content] + TTL)
=============================================================================
