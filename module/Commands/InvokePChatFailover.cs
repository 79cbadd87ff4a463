using System;
using System.Collections.Generic;
using System.IO;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>The whole failover: evidence, plan, confirmation, run. A plan handed in is what runs.</summary>
    [Cmdlet(VerbsLifecycle.Invoke, "PChatFailover", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High,
        DefaultParameterSetName = "Target")]
    [OutputType(typeof(Plan), typeof(StepResult), typeof(RunResult))]
    public sealed class InvokePChatFailover : FailoverCommand
    {
        /// <summary>The instance acted on: host, host\instance or host,port.</summary>
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Target", ValueFromPipelineByPropertyName = true)]
        [ValidateNotNullOrEmpty]
        public new string[] SqlInstance { get; set; }

        /// <summary>A plan of New-PChatFailoverPlan, or of an earlier -WhatIf.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "Plan", ValueFromPipeline = true)]
        public Plan Plan { get; set; }

        /// <summary>A file that holds a plan's Document.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "PlanPath")]
        [ValidateNotNullOrEmpty]
        public string PlanPath { get; set; }

        /// <summary>Answers the confirmation; it widens nothing.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        internal override bool AnswersYes
        {
            get { return Force.IsPresent; }
        }

        protected override void ProcessRecord()
        {
            AddLogins();
            if (Plan != null)
            {
                RunPlan(Plan);
            }
            else if (!string.IsNullOrEmpty(PlanPath))
            {
                RunPlan(ReadPlan());
            }
            else
            {
                foreach (string instance in SqlInstance)
                {
                    KeyValuePair<string, object>? made =
                        Operate("pchat_failover_plan", FailoverRequest(instance), instance, (kind, item) => true);
                    if (made != null)
                    {
                        RunPlan(Documents.Plan.Read(made.Value.Value));
                    }
                }
            }
        }

        private Plan ReadPlan()
        {
            string path = GetUnresolvedProviderPathFromPSPath(PlanPath);
            try
            {
                return Documents.Plan.Read(Json.Read(File.ReadAllText(path)));
            }
            catch (FormatException e)
            {
                var record = new ErrorRecord(
                    new FormatException(path + " holds no plan: " + e.Message, e), "InvalidRequest", ErrorCategory.InvalidData, path);
                ThrowTerminatingError(record);
                throw;
            }
        }

        private void RunPlan(Plan plan)
        {
            var change = new Change(this, Force);
            if (change.IsWhatIf)
            {
                bool whatIf;
                change.Approved(plan.Summary, plan.Summary, "Fail over", out whatIf);
                WriteObject(plan);
                return;
            }
            bool ignored;
            // A plan that cannot be run is not worth a question: the run refuses it and names each check.
            if (plan.CanRun && !change.Approved(plan.Summary, plan.Question, "Fail over", out ignored))
            {
                WriteRun(Change.Declined(new RunResult
                {
                    SqlInstance = plan.SqlInstance,
                    Database = plan.Database,
                    PoolFqdn = plan.PoolFqdn,
                    Kind = "failover",
                    StartedAtUtc = DateTime.UtcNow,
                    EndedAtUtc = DateTime.UtcNow,
                    Digest = plan.Digest,
                    Steps = new StepResult[0],
                    NextActions = new string[0],
                    Loss = plan.Loss,
                }));
                return;
            }
            var request = new Dictionary<string, object> { { "version", 1 }, { "plan", plan.Tree } };
            KeyValuePair<string, object>? ended = Operate("pchat_run_start", request, plan.SqlInstance, null);
            if (ended != null)
            {
                WriteRun(Document.Read<RunResult>(ended.Value.Value));
            }
        }
    }
}
