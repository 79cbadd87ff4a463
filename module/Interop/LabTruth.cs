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
                result.Outcome = "failed";
                result.ExitCode = 1;
                result.Error = PChatException.Of(5015, "StepNotVerified", System.Management.Automation.ErrorCategory.InvalidResult, 1,
                    contradiction + ".", "Please report this, with the drill's steps.").Error;
            }
        }
    }
}
