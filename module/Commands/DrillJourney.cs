using System;
using System.Collections.Generic;
using System.IO;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// There and back on a lab: a baseline while all is well, to the backup after a disaster or as planned, messages and time on
    /// the other side, and home again. What is reached is compared with the baseline and with the lab's truth.
    /// </summary>
    internal sealed class DrillJourney
    {
        private const int DaySeconds = 86400;

        /// <summary>So few a second that days may pass.</summary>
        private const decimal MessagesPerSecond = 0.01m;

        private readonly PChatLab lab;
        private readonly LabDoor door;
        private readonly string journal;
        private readonly Func<Drive, RunResult> carryOut;
        private readonly Func<Dictionary<string, object>, Baseline> save;

        /// <param name="carryOut">Plans a run and carries it out.</param>
        /// <param name="save">Saves a baseline; an exception where that fails.</param>
        internal DrillJourney(
            PChatLab lab, LabDoor door, string journal, Func<Drive, RunResult> carryOut, Func<Dictionary<string, object>, Baseline> save)
        {
            this.lab = lab;
            this.door = door;
            this.journal = journal;
            this.carryOut = carryOut;
            this.save = save;
        }

        /// <summary>A run to plan and to carry out.</summary>
        internal sealed class Drive
        {
            internal string Kind;
            internal string PlanExport;
            internal Dictionary<string, object> Request;
        }

        /// <summary>Carries both ways out; the result of the last run, and in `result` what the way there cost.</summary>
        internal RunResult Run(bool afterDisaster, DrillResult result)
        {
            string folder = Path.Combine(journal, "baseline");
            save(DrillRequest.SaveBaseline(lab, folder));
            Ask("messages", "write", 30, "per_second", MessagesPerSecond);
            if (afterDisaster)
            {
                PChatException.Guarded(() => door.Ask("primary_site_lost"));
            }
            RunResult there = carryOut(new Drive
            {
                Kind = afterDisaster ? "failover" : "planned_switch",
                PlanExport = afterDisaster ? "pchat_failover_plan" : "pchat_planned_switch_plan",
                Request = afterDisaster ? DrillRequest.Of(lab, journal, null) : DrillRequest.Planned(lab, journal, folder),
            });
            result.ReportedLoss = there.Loss;
            if (there.ExitCode != RunResult.DoneCode)
            {
                return there;
            }
            string lost = PChatException.Guarded(() => LabTruth.Missing(door, lab.SqlInstance));
            Ask("messages", "write", 40);
            Ask("clock", "pass_seconds", afterDisaster ? 2 * DaySeconds : DaySeconds / 12);
            if (afterDisaster)
            {
                PChatException.Guarded(() => door.Ask("primary_site_back"));
            }
            RunResult back = carryOut(new Drive
            {
                Kind = "failback",
                PlanExport = "pchat_failback_plan",
                Request = DrillRequest.Failback(lab, journal, folder),
            });
            if (back.ExitCode == RunResult.DoneCode)
            {
                result.Drift = save(DrillRequest.SaveBaseline(lab, folder)).Drift;
                result.ServingSqlInstance = lab.PrimarySqlInstance;
                result.LostBefore = lost;
            }
            return back;
        }

        private void Ask(string command, params object[] pairs)
        {
            var arguments = new Dictionary<string, object>();
            for (int i = 0; i < pairs.Length; i += 2)
            {
                arguments[(string)pairs[i]] = pairs[i + 1];
            }
            PChatException.Guarded(() => door.Ask(command, arguments));
        }
    }
}
