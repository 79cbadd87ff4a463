using System;
using System.Collections.Generic;
using System.IO;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// A rehearsal: a lab of its own loses its primary site and is failed over with the stand-ins, in a runspace of its own;
    /// what was reported is compared with the truth that the lab holds. No real system is touched.
    /// </summary>
    [Cmdlet(VerbsLifecycle.Invoke, "PChatDrill", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
    [OutputType(typeof(DrillResult))]
    public sealed class InvokePChatDrill : PChatCommand
    {
        private PChatLab lab;

        /// <summary>The name of a scenario, or the path of a scenario file.</summary>
        [Parameter(Position = 0)]
        [ValidateNotNullOrEmpty]
        public string Scenario { get; set; }

        /// <summary>The loss that is accepted, for scenarios that refuse without it.</summary>
        [Parameter]
        public string AcceptDataLoss { get; set; }

        /// <summary>Rehearses a restore of conference content instead of a failover.</summary>
        [Parameter]
        public SwitchParameter ConferenceRestore { get; set; }

        /// <summary>How encryption to the lab is negotiated: Mandatory, Optional (the login alone) or Strict (TDS 8).</summary>
        [Parameter]
        [ValidateSet("Mandatory", "Optional", "Strict")]
        public string Encrypt { get; set; }

        /// <summary>Leaves the lab running; the result's Lab is it.</summary>
        [Parameter]
        public SwitchParameter LeaveRunning { get; set; }

        public InvokePChatDrill()
        {
            Scenario = "primary-lost";
            Encrypt = "Mandatory";
        }

        internal override bool AnswersYes
        {
            get { return true; }
        }

        internal override object SessionSettings
        {
            get { return Session.Settings(Encrypt, true, 15, lab.AddressMap); }
        }

        internal override void AddLogins(Session opened)
        {
            opened.AddLogin(null, lab.SqlCredential);
        }

        protected override void ProcessRecord()
        {
            if (ConferenceRestore.IsPresent && !MyInvocation.BoundParameters.ContainsKey("Scenario"))
            {
                Scenario = "conference-lost";
            }
            string what = ConferenceRestore.IsPresent
                ? "Start a lab and restore conference content on it"
                : "Start a lab, lose its primary site and fail over on it";
            if (!ShouldProcess("scenario " + Scenario, what))
            {
                return;
            }
            LabProcess process = null;
            bool keep = false;
            string journal = Path.Combine(Path.GetTempPath(), "pchat-drill-" + Guid.NewGuid().ToString("N"));
            try
            {
                process = LabProcess.Start(StartPChatLab.ScenarioFile(this, Scenario), () => IsStopping);
                lab = PChatLab.Of(process, Scenario, StartPChatLab.StandInModule);
                using (DrillRunspace own = PChatException.Guarded(() => new DrillRunspace(lab)))
                {
                    Native.Own = own.Runspace;
                    Native.OnlyModule = DrillRunspace.Module;
                    if (!ConferenceRestore.IsPresent)
                    {
                        PChatException.Guarded(() => process.Door.Ask("primary_site_lost"));
                    }
                    DrillResult result = Rehearse(process.Door, journal);
                    keep = LeaveRunning.IsPresent;
                    result.Lab = keep ? lab : null;
                    Write(result);
                }
            }
            catch (PChatException e)
            {
                WriteError(e.ToErrorRecord(Scenario));
            }
            finally
            {
                CloseSession();
                if (process != null && !keep)
                {
                    process.Dispose();
                }
                RemoveFolder(journal);
            }
        }

        private DrillResult Rehearse(LabDoor door, string journal)
        {
            DateTime started = DateTime.UtcNow;
            bool conference = ConferenceRestore.IsPresent;
            // A restore of conference content is about two Front End pools and no database.
            RunResult run = conference
                ? RunResult.Begun("conference_restore", string.Empty, string.Empty, null)
                : RunResult.Begun("failover", lab.SqlInstance, lab.Database, lab.PoolFqdn);
            var steps = new List<StepResult>();
            Work planning = conference
                ? new Work("pchat_conference_plan", DrillRequest.Conference(lab, journal))
                : new Work("pchat_failover_plan", DrillRequest.Of(lab, journal, AcceptDataLoss));
            planning.AfterStop = "The drill was stopped.";
            planning.Item = item => true;
            Ended ended = Operate(planning);
            if (ended.Failure == null)
            {
                Plan plan = ended.AsPlan();
                Writer.Message("verbose", plan.Summary);
                var request = new Dictionary<string, object> { { "version", 1 }, { "plan", plan.Tree } };
                ended = Operate(new Work("pchat_run_start", request)
                {
                    Changes = true,
                    AfterStop = "The drill was stopped, and its lab ends with it.",
                    Item = item =>
                    {
                        var step = item as StepResult;
                        if (step != null)
                        {
                            steps.Add(step);
                            Writer.Message("verbose", step.Number + ". " + step.Title + ": " + step.State + ", " + step.Milliseconds + " ms. " + step.Text);
                        }
                        return true;
                    },
                });
            }
            run = ended.Failure == null ? ended.As<RunResult>() : run.Failed(ended.Failure.Error);
            var result = new DrillResult
            {
                SqlInstance = run.SqlInstance,
                Database = run.Database,
                PoolFqdn = run.PoolFqdn,
                DamagedPoolFqdn = run.DamagedPoolFqdn,
                Scenario = Scenario,
                Outcome = run.Outcome,
                ExitCode = run.ExitCode,
                StartedAtUtc = started,
                EndedAtUtc = DateTime.UtcNow,
                ReportedLoss = run.Loss,
                Steps = run.Steps.Length > 0 ? run.Steps : steps.ToArray(),
                NextActions = run.NextActions,
                Text = run.Text,
                Error = run.Error,
            };
            result.Seconds = Math.Round((result.EndedAtUtc - started).TotalSeconds, 1);
            PChatException.Guarded(() => conference ? LabTruth.CompareContent(door, result) : LabTruth.Compare(door, result));
            return result;
        }

        private void Write(DrillResult result)
        {
            WriteObject(result);
            if (result.Error != null)
            {
                WriteError(new PChatException(result.Error).ToErrorRecord(result.SqlInstance));
            }
        }

        private static void RemoveFolder(string folder)
        {
            try
            {
                if (Directory.Exists(folder))
                {
                    Directory.Delete(folder, true);
                }
            }
            catch (Exception e) when (e is IOException || e is UnauthorizedAccessException)
            {
                // A file is still open; the folder is temporary anyway.
                System.Diagnostics.Debug.WriteLine(e);
            }
        }
    }
}
