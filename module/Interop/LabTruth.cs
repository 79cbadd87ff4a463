using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>Compares what a run reported with the truth that the lab holds.</summary>
    internal static class LabTruth
    {
        private const int UserTries = 300;
        private const int UserPause = 200;

        /// <summary>Fills the result's messages, users and unknown statements; true, so that it can be guarded.</summary>
        /// <exception cref="IOException">The lab does not answer.</exception>
        internal static bool Compare(LabDoor door, DrillResult result, Func<bool> isStopping)
        {
            var truth = (Dictionary<string, object>)door.Ask("truth");
            if (result.ServingSqlInstance != null)
            {
                truth = WithUsers(door, truth, isStopping);
                CompareHome(truth, result);
                CompareServed(door, truth, result);
                return true;
            }
            var death = truth["primary_at_death"] as Dictionary<string, object>;
            var lost = truth["lost_on_backup"] as Dictionary<string, object>;
            result.MessagesWritten = Count(death ?? truth, death == null ? "newest_message" : "count");
            result.MessagesLost = lost == null ? 0 : Count(lost, "count");
            object copy;
            if (((Dictionary<string, object>)truth["copies"]).TryGetValue(result.SqlInstance, out copy))
            {
                result.MessagesKept = Count((Dictionary<string, object>)copy, "count");
            }
            CompareServed(door, truth, result);
            return true;
        }

        /// <summary>The numbers of the messages that an instance lacks.</summary>
        /// <exception cref="IOException">The lab does not answer.</exception>
        internal static string Missing(LabDoor door, string instance)
        {
            var truth = (Dictionary<string, object>)door.Ask("truth");
            return (string)Part(Copy(truth, instance), "missing")["messages"];
        }

        /// <summary>After a change of the mirror's roles users are out for a moment: they are waited for.</summary>
        private static Dictionary<string, object> WithUsers(LabDoor door, Dictionary<string, object> truth, Func<bool> isStopping)
        {
            for (int tries = 0; tries < UserTries && !AreIn(truth) && !isStopping(); tries++)
            {
                Thread.Sleep(UserPause);
                truth = (Dictionary<string, object>)door.Ask("truth");
            }
            return truth;
        }

        /// <summary>Home must hold what users wrote, except what was lost before, as the baseline has it.</summary>
        private static void CompareHome(Dictionary<string, object> truth, DrillResult result)
        {
            Dictionary<string, object> copy = Copy(truth, result.ServingSqlInstance);
            Dictionary<string, object> missing = Part(copy, "missing");
            result.MessagesWritten = Count(truth, "newest_message");
            result.MessagesKept = Count(copy, "count");
            result.MessagesLost = Count(missing, "count");
            string contradiction = null;
            if ((string)copy["state"] != "ONLINE")
            {
                contradiction = "the run ended as done, but the primary does not serve";
            }
            else if ((string)missing["messages"] != result.LostBefore)
            {
                contradiction = "messages were lost on the way home: " + missing["messages"] + " are missing instead of " + result.LostBefore;
            }
            else if (Count(Part(copy, "doubled"), "count") != 0)
            {
                contradiction = "messages are doubled";
            }
            else if (result.Drift.Length > 0)
            {
                contradiction = "the configuration at home differs from the baseline";
            }
            if (contradiction != null && result.Error == null)
            {
                Contradict(result, contradiction);
            }
        }

        private static Dictionary<string, object> Copy(Dictionary<string, object> truth, string instance)
        {
            return Part(Part(truth, "copies"), instance);
        }

        private static Dictionary<string, object> Part(Dictionary<string, object> map, string member)
        {
            return (Dictionary<string, object>)map[member];
        }

        private static bool AreIn(Dictionary<string, object> truth)
        {
            var users = truth["users"] as Dictionary<string, object>;
            return users != null && true.Equals(users["in"]);
        }

        private static void CompareServed(LabDoor door, Dictionary<string, object> truth, DrillResult result)
        {
            result.UsersServed = AreIn(truth);
            var unknown = new List<string>();
            foreach (object statement in (List<object>)door.Ask("unknown_statements"))
            {
                unknown.Add(statement as string ?? Json.Write(statement));
            }
            result.UnknownStatements = unknown.ToArray();
            Judge(result);
        }

        /// <summary>The pool that lost its content in the lab's conference scenarios.</summary>
        internal const string DamagedPool = "pool1.contoso.com";

        /// <summary>Fills the result's meetings; true, so that it can be guarded.</summary>
        /// <exception cref="IOException">The lab does not answer.</exception>
        internal static bool CompareContent(LabDoor door, DrillResult result)
        {
            var state = (Dictionary<string, object>)door.Ask("state");
            var pool = (Dictionary<string, object>)state["pool"];
            foreach (Dictionary<string, object> content in (List<object>)pool["conference_content"])
            {
                if ((string)content["pool_fqdn"] == DamagedPool)
                {
                    result.Meetings = Count(content, "meetings");
                    result.MeetingsRestored = Count(content, "present");
                }
            }
            result.UnknownStatements = new string[0];
            if (result.ExitCode == RunResult.DoneCode && result.MeetingsRestored != result.Meetings)
            {
                Contradict(result, "the run ended as done, but the lab's meetings lack content");
            }
            return true;
        }

        private static long Count(Dictionary<string, object> map, string member)
        {
            return decimal.ToInt64((decimal)map[member]);
        }

        /// <summary>A run that says done, while the lab sees otherwise, has failed the drill.</summary>
        private static void Judge(DrillResult result)
        {
            string contradiction = null;
            if (result.UnknownStatements.Length > 0)
            {
                contradiction = "the lab met statements that it does not know, so the drill proves nothing about them";
            }
            else if (result.ExitCode == RunResult.DoneCode && !result.UsersServed)
            {
                contradiction = "the run ended as done, but the lab's users are not served";
            }
            else if (result.ExitCode == RunResult.DoneCode && result.MessagesKept + result.MessagesLost != result.MessagesWritten)
            {
                contradiction = "messages kept and lost do not add up to those written";
            }
            if (contradiction != null && result.Error == null)
            {
                Contradict(result, contradiction);
            }
        }

        private static void Contradict(DrillResult result, string contradiction)
        {
            result.Outcome = "failed";
            result.ExitCode = 1;
            result.Error = PChatException.Of(5015, "StepNotVerified", System.Management.Automation.ErrorCategory.InvalidResult, 1,
                contradiction + ".", "Please report this, with the drill's steps.").Error;
        }
    }
}
