using System.Collections.Generic;
using System.Management.Automation;
using System.Security;
using PersistentChatFailover.Commands;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Tests
{
    /// <summary>Every cmdlet against the real library and a lab, in the order of a failover by single steps.</summary>
    [Tests]
    internal static class CommandTests
    {
        private static Lab shared;

        private static Lab Small
        {
            get { return shared ?? (shared = new Lab("small")); }
        }

        private static void Run(PChatCommand command)
        {
            Small.Run(command);
        }

        public static void A1_LogShippingIsRead()
        {
            Run(Small.Pointed(new GetPChatLogShipping()));
            Shell.NoErrors();
            LogShipping read = Shell.All<LogShipping>()[0];
            Check.Equal("B\\RTC", read.SqlInstance);
            Check.Equal("mgc", read.Database);
            Check.Equal("record", read.Source);
            Check.Equal("restoring", read.DatabaseState);
            Check.True(read.RedoPointLsn > 0 && read.CopyJob != null && read.RestoreJob != null, "redo point and jobs");
            Check.Equal(Small.About.PoolFqdn, read.PoolFqdn);
        }

        public static void A2_LogBackupsAreListed()
        {
            Run(Small.Pointed(new GetPChatLogBackup()));
            Shell.NoErrors();
            List<LogBackup> listed = Shell.All<LogBackup>();
            Check.True(listed.Exists(f => f.Status == "not_copied") && listed.Exists(f => f.Status == "needed"), "needed and not copied");
        }

        public static void A3_ConnectionsAreListed()
        {
            Run(Small.Pointed(new GetPChatConnection()));
            Shell.NoErrors();
        }

        public static void A4_ChecksAreNamed()
        {
            Run(Small.Pointed(new TestPChatFailover()));
            Shell.NoErrors();
            List<CheckResult> checks = Shell.All<CheckResult>();
            Check.True(checks.Count > 10, "more than ten checks");
            Check.True(checks.TrueForAll(c => c.Name != null && c.Value != null && c.Wanted != null), "value and wanted value");
            Check.True(!checks.Exists(c => c.State == "failed"), "none failed; " + checks.Find(c => c.State == "failed"));
        }

        public static void A5_APlanIsMadeAndNothingIsTouched()
        {
            string before = Small.Effects;
            Run(Small.Pointed(new NewPChatFailoverPlan()));
            Shell.NoErrors();
            Plan plan = Shell.All<Plan>()[0];
            Check.True(plan.CanRun && plan.Steps.Length > 5 && plan.Digest.Length == 64, "a plan that can be run");
            Check.Contains("RESTORE", string.Join(" ", System.Array.Find(plan.Steps, s => s.Files.Length > 0).Statements));
            Check.Equal(before, Small.Effects);
        }

        public static void A6_AWrongPasswordIsAnErrorWithACode()
        {
            GetPChatLogShipping command = Small.Pointed(new GetPChatLogShipping());
            var secret = new SecureString();
            foreach (char letter in "not-it-7312")
            {
                secret.AppendChar(letter);
            }
            command.SqlCredential = new PSCredential("sa", secret);
            Run(command);
            ErrorRecord error = Shell.OneError();
            Check.Equal("LoginFailed", error.FullyQualifiedErrorId);
            Check.Equal(ErrorCategory.AuthenticationError, error.CategoryInfo.Category);
            Check.True(!error.Exception.ToString().Contains("not-it-7312"), "the password is nowhere in the error");
        }

        public static void A7_ANameThatDoesNotResolveIsBadInput()
        {
            CopyPChatLogBackup command = Small.Pointed(new CopyPChatLogBackup());
            command.SqlInstance = new[] { "no-such-host.invalid" };
            command.Force = true;
            Run(command);
            Check.Equal("NameNotResolved", Shell.OneError().FullyQualifiedErrorId);
            Check.Equal(2, Shell.All<RunResult>()[0].ExitCode);
        }

        public static void A8_OddNamesChangeNothing()
        {
            string before = Small.Effects;
            foreach (string name in new[] { "mgc]; DROP DATABASE mgc --", "a'b", "x\ny", new string('x', 1024 * 1024) })
            {
                Shell.Clear();
                GetPChatLogShipping command = Small.Pointed(new GetPChatLogShipping());
                command.Database = name;
                Run(command);
                Check.True(Cmdlet.Errors.Count == 1, "an error for " + name.Substring(0, 3));
            }
            Check.Equal(before, Small.Effects);
        }

        public static void B1_LogBackupsAreCopied()
        {
            CopyPChatLogBackup command = Small.Pointed(new CopyPChatLogBackup());
            command.Force = true;
            Run(command);
            Shell.NoErrors();
            Check.Equal("done", Last().Outcome);
            Check.True(Shell.All<ActionResult>().Exists(a => a.Action == "copy" && a.State == "done"), "a copy");
        }

        public static void B2_LogBackupsAreRestored()
        {
            RestorePChatLogBackup command = Small.Pointed(new RestorePChatLogBackup());
            command.Force = true;
            Run(command);
            Shell.NoErrors();
            Check.Equal("done", Last().Outcome);
        }

        public static void B3_ASecondTimeThereIsNothingToDo()
        {
            RestorePChatLogBackup command = Small.Pointed(new RestorePChatLogBackup());
            command.Force = true;
            Run(command);
            Shell.NoErrors();
            Check.Equal(7, Last().ExitCode);
        }

        public static void B4_LogShippingIsRemoved()
        {
            RemovePChatLogShipping command = Small.Pointed(new RemovePChatLogShipping());
            command.JournalPath = Small.Journal;
            command.NoJournalCopy = true;
            command.Force = true;
            Run(command);
            Shell.NoErrors();
            Check.Equal("done", Last().Outcome);
        }

        public static void B5_ConnectionsAreEnded()
        {
            StopPChatConnection command = Small.Pointed(new StopPChatConnection());
            command.Force = true;
            Run(command);
            Check.True(Last().ExitCode == 0 || Last().ExitCode == 7, "ended, or none there");
        }

        public static void B6_TheDatabaseIsRecovered()
        {
            RestorePChatDatabase command = Small.Pointed(new RestorePChatDatabase());
            command.Force = true;
            Run(command);
            Shell.NoErrors();
            Check.Equal("done", Last().Outcome);
            Shell.Clear();
            Run(Small.Pointed(new GetPChatLogShipping()));
            Check.Equal("online", Shell.All<LogShipping>()[0].DatabaseState);
        }

        public static void C1_AWholeFailover()
        {
            using (var lab = new Lab("small"))
            {
                InvokePChatFailover command = lab.Pointed(new InvokePChatFailover());
                command.Force = true;
                command.PoolTimeoutSeconds = 60;
                lab.Run(command);
                Shell.NoErrors();
                Check.Equal("done", Last().Outcome);
                Check.True(Shell.All<StepResult>().Count > 5, "steps as they end");
                Check.True(Last().NextActions.Length > 0, "what is left to do");

                Shell.Clear();
                lab.Run(new GetPChatRun { JournalPath = lab.Journal });
                Shell.NoErrors();
                RunSummary run = Shell.All<RunSummary>()[0];
                Check.True(!run.IsOpen, "the run is closed");

                Shell.Clear();
                ResumePChatRun resume = lab.Pointed(new ResumePChatRun());
                resume.JournalPath = lab.Journal;
                resume.RunId = run.RunId;
                resume.Force = true;
                lab.Run(resume);
                Check.Equal(7, Last().ExitCode);

                Shell.Clear();
                UndoPChatRun undo = lab.Pointed(new UndoPChatRun());
                undo.JournalPath = lab.Journal;
                undo.RunId = run.RunId;
                undo.Force = true;
                lab.Run(undo);
                Check.True(Cmdlet.Errors.Count == 1 && Last().ExitCode != 0, "it can no longer be given up");
            }
        }

        public static void C2_AnUnknownRunIsBadInput()
        {
            ResumePChatRun command = Small.Pointed(new ResumePChatRun());
            command.JournalPath = Small.Journal;
            command.RunId = "20260314T021500Z-9f2c41d7";
            command.Force = true;
            Run(command);
            Check.Equal("RunNotFound", Shell.OneError().FullyQualifiedErrorId);
            Check.Equal(2, Last().ExitCode);
        }

        public static void C3_APlanCutShortIsBadInput()
        {
            string path = System.IO.Path.GetTempFileName();
            try
            {
                System.IO.File.WriteAllText(path, "{\"version\":1,\"plan_id\":\"x\"");
                InvokePChatFailover command = Small.Pointed(new InvokePChatFailover());
                command.PlanPath = path;
                command.Force = true;
                Run(command);
                Check.Equal("InvalidValue", Shell.OneError().FullyQualifiedErrorId);
                Check.Equal(2, Last().ExitCode);
            }
            finally
            {
                System.IO.File.Delete(path);
            }
        }

        public static void D1_AnUnknownScenarioIsAnError()
        {
            using (var command = new StartPChatLab { Scenario = "no-such-scenario" })
            {
                command.Run();
            }
            Check.Contains("no-such-scenario", Shell.OneError().Exception.Message);
        }

        public static void D2_ALabIsStartedAndStopped()
        {
            using (var start = new StartPChatLab { Scenario = "small" })
            {
                start.Run();
            }
            Shell.NoErrors();
            PChatLab lab = Shell.All<PChatLab>()[0];
            Check.Equal("B\\RTC", lab.SqlInstance);
            string folder = (string)lab.PathMap["E:\\LSCopy"];
            Check.True(System.IO.Directory.Exists(folder), "its folders");
            using (var stop = new StopPChatLab { Lab = new[] { lab } })
            {
                stop.Run();
            }
            Check.True(!System.IO.Directory.Exists(folder), "they are gone");
        }

        public static void D3_ADrillComparesWithTheTruth()
        {
            using (var drill = new InvokePChatDrill { Scenario = "small" })
            {
                drill.Run();
            }
            Shell.NoErrors();
            DrillResult result = Shell.All<DrillResult>()[0];
            Check.Equal("done", result.Outcome);
            Check.Equal(7L, result.MessagesLost);
            Check.Equal(result.MessagesWritten, result.MessagesKept + result.MessagesLost);
            Check.True(result.UsersServed && result.UnknownStatements.Length == 0, "users in, nothing unknown");
        }

        private static RunResult Last()
        {
            List<RunResult> results = Shell.All<RunResult>();
            Check.True(results.Count == 1, "one result");
            return results[0];
        }
    }
}
