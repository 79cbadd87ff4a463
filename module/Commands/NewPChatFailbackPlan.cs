using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Makes the plan of a failback as an object: print, save, compare, pipe. Reads only.</summary>
    [Cmdlet(VerbsCommon.New, "PChatFailbackPlan")]
    [OutputType(typeof(Plan))]
    public sealed class NewPChatFailbackPlan : FailbackCommand
    {
        protected override void ProcessRecord()
        {
            foreach (string instance in SqlInstance)
            {
                try
                {
                    Ended made = Read("pchat_failback_plan", FailbackRequest(instance), instance, item => true);
                    if (made != null)
                    {
                        WriteObject(made.AsPlan());
                    }
                }
                catch (PChatException e)
                {
                    WriteError(e.ToErrorRecord(instance));
                }
            }
        }
    }
}
