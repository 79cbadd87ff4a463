using System;
using System.Management.Automation;

namespace PersistentChatFailover.Commands
{
    /// <summary>
    /// Takes what Get-CsService -PersistentChatServer hands out, by the members that it has. Without it the shell would bind
    /// any object of the pipeline here.
    /// </summary>
    [AttributeUsage(AttributeTargets.Property)]
    public sealed class PoolServiceAttribute : ArgumentTransformationAttribute
    {
        public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
        {
            if (inputData == null || PSObject.AsPSObject(inputData).Properties["PersistentChatDatabase"] == null)
            {
                const string Message =
                    "This is no Persistent Chat pool of Get-CsService -PersistentChatServer: it has no PersistentChatDatabase.";
                // The binder goes on to other parameters only behind a cast that failed.
                throw new ArgumentTransformationMetadataException(Message, new PSInvalidCastException(Message, null));
            }
            return inputData;
        }
    }
}
