using System.Collections.Generic;
using System.IO;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>Compares what a run reported with the truth that the lab holds.</summary>
    internal static class LabTruth
    {
        /// <summary>Fills the result's messages, users and unknown statements; true, so that it can be guarded.</summary>
        /// <exception cref="IOException">The lab does not answer.</exception>
        internal static bool Compare(LabDoor door, DrillResult result)
        {
            var truth = (Dictionary<string, object>)door.Ask("truth");
            var death = truth["primary_at_death"] as Dictionary<string, object>;
            var lost = truth["lost_on_backup"] as Dictionary<string, object>;
            result.MessagesWritten = Count(death ?? truth, death == null ? "newest_message" : "count");
            result.MessagesLost = lost == null ? 0 : Count(lost, "count");
            object copy;
            if (((Dictionary<string, object>)truth["copies"]).TryGetValue(result.SqlInstance, out copy))
            {
                result.MessagesKept = Count((Dictionary<string, object>)copy, "count");
            }
            var users = truth["users"] as Dictionary<string, object>;
            result.UsersServed = users != null && true.Equals(users["in"]);
            var unknown = new List<string>();
            foreach (object statement in (List<object>)door.Ask("unknown_statements"))
            {
                unknown.Add(statement as string ?? Json.Write(statement));
            }
            result.UnknownStatements = unknown.ToArray();
            Judge(result);
            return true;
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
