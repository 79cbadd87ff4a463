using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// A rehearsal: a lab of its own loses its primary site and is failed over with the stand-ins, in a runspace of its own, and
    /// back where that is asked; what was reported is compared with the truth that the lab holds. No real system is touched.
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

        /// <summary>There and back: a baseline, a disaster, a failover, two days of messages, and the failback.</summary>
        [Parameter]
        public SwitchParameter RoundTrip { get; set; }

        /// <summary>There and back as planned, while both sites live.</summary>
        [Parameter]
        public SwitchParameter Planned { get; set; }

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
            if (new[] { ConferenceRestore, RoundTrip, Planned }.Count(chosen => chosen.IsPresent) > 1)
            {
                PChatException several = PChatException.BadValue(
                    "-ConferenceRestore, -RoundTrip and -Planned are drills of their own.", "Give one of them.");
                WriteError(several.ToErrorRecord(Scenario));
                return;
            }
            if (!MyInvocation.BoundParameters.ContainsKey("Scenario"))
            {
                Scenario = ConferenceRestore.IsPresent ? "conference-lost" : IsJourney ? "healthy" : Scenario;
            }
            string what = ConferenceRestore.IsPresent ? "Start a lab and restore conference content on it"
                : RoundTrip.IsPresent ? "Start a lab, lose its primary site, fail over on it and, days later, back"
                : Planned.IsPresent ? "Start a lab, switch it as planned and, hours later, back"
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
                    if (!ConferenceRestore.IsPresent && !IsJourney)
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

        private bool IsJourney
        {
            get { return RoundTrip.IsPresent || Planned.IsPresent; }
        }

        private DrillResult Rehearse(LabDoor door, string journal)
        {
            var result = new DrillResult
            {
                Scenario = Scenario,
                StartedAtUtc = DateTime.UtcNow,
                Drift = new Drift[0],
            };
            var steps = new List<StepResult>();
            bool conference = ConferenceRestore.IsPresent;
            RunResult run;
            if (IsJourney)
            {
                var journey = new DrillJourney(lab, door, journal, drive => CarryOut(drive, steps), SaveBaseline);
                run = journey.Run(RoundTrip.IsPresent, result);
            }
            else
            {
                run = CarryOut(
                    new DrillJourney.Drive
                    {
                        Kind = conference ? "conference_restore" : "failover",
                        PlanExport = conference ? "pchat_conference_plan" : "pchat_failover_plan",
                        Request = conference ? DrillRequest.Conference(lab, journal) : DrillRequest.Of(lab, journal, AcceptDataLoss),
                    },
                    steps);
                result.ReportedLoss = run.Loss;
            }
            result.SqlInstance = run.SqlInstance;
            result.Database = run.Database;
            result.PoolFqdn = run.PoolFqdn;
            result.DamagedPoolFqdn = run.DamagedPoolFqdn;
            result.Outcome = run.Outcome;
            result.ExitCode = run.ExitCode;
            result.EndedAtUtc = DateTime.UtcNow;
            result.Steps = steps.ToArray();
            result.NextActions = run.NextActions;
            result.Text = run.Text;
            result.Error = run.Error;
            result.Seconds = Math.Round((result.EndedAtUtc - result.StartedAtUtc).TotalSeconds, 1);
            PChatException.Guarded(() => conference ? LabTruth.CompareContent(door, result) : LabTruth.Compare(door, result, () => IsStopping));
            return result;
        }

        /// <summary>Plans a run and carries it out; its steps are added as they end.</summary>
        private RunResult CarryOut(DrillJourney.Drive drive, List<StepResult> steps)
        {
            // A restore of conference content is about two Front End pools and no database.
            RunResult run = ConferenceRestore.IsPresent
                ? RunResult.Begun(drive.Kind, string.Empty, string.Empty, null)
                : RunResult.Begun(drive.Kind, lab.SqlInstance, lab.Database, lab.PoolFqdn);
            var planning = new Work(drive.PlanExport, drive.Request) { AfterStop = "The drill was stopped.", Item = item => true };
            Ended ended = Operate(planning);
            var ran = new List<StepResult>();
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
                            ran.Add(step);
                            Writer.Message("verbose", step.Number + ". " + step.Title + ": " + step.State + ", " + step.Milliseconds + " ms. " + step.Text);
                        }
                        return true;
                    },
                });
            }
            run = ended.Failure == null ? ended.As<RunResult>() : run.Failed(ended.Failure.Error);
            steps.AddRange(run.Steps.Length > 0 ? run.Steps : ran.ToArray());
            return run;
        }

        private Baseline SaveBaseline(Dictionary<string, object> request)
        {
            Baseline saved = null;
            Ended ended = Operate(new Work("pchat_baseline_save", request)
            {
                AfterStop = "The drill was stopped.",
                Item = item =>
                {
                    saved = item as Baseline ?? saved;
                    return true;
                },
            });
            if (ended.Failure != null)
            {
                throw ended.Failure;
            }
            if (saved == null || !saved.IsComplete)
            {
                throw PChatException.Of(5015, "StepNotVerified", ErrorCategory.InvalidResult, 1,
                    "the lab's baseline is not complete.", "Please report this, with the drill's steps.");
            }
            return saved;
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
