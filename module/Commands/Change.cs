using System;
using System.Collections.Generic;
using System.Management.Automation;
using System.Text;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// The way of every change: plan, show, ask once, then run what was shown. The operation refuses when it finds
    /// another plan than the approved one.
    /// </summary>
    internal sealed class Change
    {
        private readonly PChatCommand command;
        private readonly bool force;

        internal Change(PChatCommand command, bool force)
        {
            this.command = command;
            this.force = force;
        }

        /// <summary>True when the caller asked for -WhatIf, or set its preference.</summary>
        internal bool IsWhatIf
        {
            get
            {
                object bound;
                if (command.MyInvocation.BoundParameters.TryGetValue("WhatIf", out bound))
                {
                    return LanguageTrue(bound);
                }
                return LanguageTrue(command.GetVariableValue("WhatIfPreference"));
            }
        }

        private static bool LanguageTrue(object value)
        {
            if (value is SwitchParameter)
            {
                return ((SwitchParameter)value).IsPresent;
            }
            return value is bool && (bool)value;
        }

        /// <summary>Asks once. -Force answers it and widens nothing; -Confirm asks all the same.</summary>
        internal bool Approved(string description, string warning, string caption, out bool whatIf)
        {
            object confirm;
            bool asked = command.MyInvocation.BoundParameters.TryGetValue("Confirm", out confirm) && LanguageTrue(confirm);
            whatIf = IsWhatIf;
            if (force && !asked && !whatIf)
            {
                return true;
            }
            ShouldProcessReason reason;
            bool approved = command.ShouldProcess(description, warning, caption, out reason);
            whatIf = (reason & ShouldProcessReason.WhatIf) != 0;
            return approved;
        }

        /// <summary>Plans with `plan_only`, asks, and carries out what was approved.</summary>
        internal void Run(string export, Dictionary<string, object> request, string instance, string caption)
        {
            var planned = new List<ActionResult>();
            request["plan_only"] = true;
            request["approved_digest"] = null;
            KeyValuePair<string, object>? plan = command.Operate(export, request, instance, (kind, item) =>
            {
                planned.Add((ActionResult)item);
                return true;
            });
            if (plan == null)
            {
                return;
            }
            var outlook = Document.Read<RunResult>(plan.Value.Value);
            if (outlook.Error != null || outlook.Outcome != "done")
            {
                command.WriteRun(outlook);
                return;
            }
            bool whatIf;
            if (!Approved(Description(planned, outlook), Warning(planned, outlook, instance), caption, out whatIf))
            {
                if (whatIf)
                {
                    command.WriteObject(planned, true);
                }
                else
                {
                    command.WriteRun(Declined(outlook));
                }
                return;
            }
            request["plan_only"] = false;
            request["approved_digest"] = outlook.Digest;
            KeyValuePair<string, object>? done = command.Operate(export, request, instance, null);
            if (done != null)
            {
                command.WriteRun(Document.Read<RunResult>(done.Value.Value));
            }
        }

        private static string Description(List<ActionResult> planned, RunResult outlook)
        {
            var text = new StringBuilder(outlook.Text);
            foreach (ActionResult action in planned)
            {
                text.Append(Environment.NewLine).Append("  ").Append(action.Statement);
            }
            return text.ToString();
        }

        private static string Warning(List<ActionResult> planned, RunResult outlook, string instance)
        {
            return outlook.Text + Environment.NewLine + planned.Count + " actions on " + instance +
                ". Use -WhatIf to see each statement. Go on?";
        }

        /// <summary>The result of a change that the operator did not want.</summary>
        internal static RunResult Declined(RunResult outlook)
        {
            outlook.Outcome = "cancelled";
            outlook.ExitCode = 5;
            outlook.Text = "Declined; nothing was changed.";
            outlook.Error = new ErrorDocument
            {
                Code = 1008,
                Id = "Declined",
                Category = "OperationStopped",
                Message = "PCHAT1008: the confirmation was declined. Nothing was changed.",
                Unchanged = "Nothing was changed.",
                RecommendedAction = "Run the command again when it shall be carried out.",
                Target = outlook.SqlInstance,
                ExitCode = 5,
            };
            return outlook;
        }
    }
}
