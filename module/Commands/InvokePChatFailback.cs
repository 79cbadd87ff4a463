using System;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>The whole way home: evidence, plan, confirmation, run. A plan handed in is what runs; so it is the default, else
    /// a piped plan would be bound by its SqlInstance alone.</summary>
    [Cmdlet(VerbsLifecycle.Invoke, "PChatFailback", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High,
        DefaultParameterSetName = "Plan")]
    [OutputType(typeof(Plan), typeof(StepResult), typeof(RunResult))]
    public sealed class InvokePChatFailback : FailbackCommand
    {
        private const string Caption = "Fail back";
        private const string Kind = "failback";

        /// <summary>Parameters that a plan does not carry; all others of ours belong to the making of one.</summary>
        private static readonly HashSet<string> BesideAPlan = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
        {
            "Plan", "Force", "SqlCredential", "Encrypt", "TrustServerCertificate", "ConnectTimeoutSeconds", "AddressMap",
            "PrimarySqlCredential", "PrimaryMirrorSqlCredential", "BackupMirrorSqlCredential", "MonitorSqlCredential",
            "MonitorSqlInstance",
            // Bound from the plan itself where it is piped in.
            "Database", "PoolFqdn",
        };

        private Plan current;

        /// <summary>The backup, which serves now: host, host\instance or host,port.</summary>
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Target", ValueFromPipelineByPropertyName = true)]
        [InstanceName]
        [ValidateNotNullOrEmpty]
        public override string[] SqlInstance { get; set; }

        /// <summary>A plan of New-PChatFailbackPlan, or of an earlier -WhatIf.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "Plan", ValueFromPipeline = true)]
        public Plan Plan { get; set; }

        /// <summary>Answers the confirmation; it widens nothing.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        internal override bool AnswersYes
        {
            get { return Force.IsPresent; }
        }

        internal override void AddLogins(Session opened)
        {
            if (current == null)
            {
                base.AddLogins(opened);
                return;
            }
            // The monitor stands in the plan's baseline alone.
            AddLogins(opened, current, MonitorSqlInstance);
        }

        protected override void ProcessRecord()
        {
            if (Plan != null)
            {
                RunGivenPlan();
                return;
            }
            if (NamesInstanceBesideInput)
            {
                WriteRun(NoResult(Kind, SqlInstance[0]).Failed(InstanceBesideInput().Error));
                return;
            }
            foreach (string instance in SqlInstance)
            {
                if (IsStopping)
                {
                    return;
                }
                RunResult otherwise = NoResult(Kind, instance);
                try
                {
                    var work = new Work("pchat_failback_plan", FailbackRequest(instance))
                    {
                        AfterStop = "Stopped while planning; nothing was changed.",
                        Item = item => true,
                    };
                    Ended made = Operate(work);
                    if (made.Failure != null)
                    {
                        WriteEnd(made, otherwise);
                        continue;
                    }
                    RunPlan(made.AsPlan(), otherwise);
                }
                catch (PChatException e)
                {
                    WriteRun(otherwise.Failed(e.Error));
                }
            }
        }

        private void RunGivenPlan()
        {
            RunResult otherwise = RunResult.Begun(Kind, Plan.SqlInstance, Plan.Database, Plan.PoolFqdn);
            try
            {
                foreach (string name in MyInvocation.BoundParameters.Keys)
                {
                    if (!BesideAPlan.Contains(name) && typeof(FailbackCommand).GetProperty(name) != null)
                    {
                        throw PChatException.BadValue(
                            "-" + name + " does not go with a plan, which has it inside.", "Make a new plan with it.");
                    }
                }
                Plan.MustBeFor("Invoke-PChatFailback");
                RunPlan(Plan, otherwise);
            }
            catch (PChatException e)
            {
                WriteRun(otherwise.Failed(e.Error));
            }
        }

        private void RunPlan(Plan plan, RunResult otherwise)
        {
            var change = new Change(this, Caption);
            string why;
            if (change.IsWhatIf)
            {
                change.Ask(plan.Summary, plan.Question, out why);
                WriteObject(plan);
                return;
            }
            // A plan that cannot be run is not worth a question: the run refuses it and names each check.
            if (plan.CanRun && change.Ask(plan.Summary, plan.Question, out why) != Approval.Yes)
            {
                otherwise.Digest = plan.Digest;
                otherwise.Loss = plan.Loss;
                WriteRun(otherwise.Declined(why));
                return;
            }
            current = plan;
            CloseSession();
            var request = new Dictionary<string, object> { { "version", 1 }, { "plan", plan.Tree } };
            WriteEnd(Operate(new Work("pchat_run_start", request) { Changes = true }), otherwise);
            current = null;
            CloseSession();
        }
    }
}
