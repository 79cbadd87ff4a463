using System;
using System.Collections.Generic;
using System.Management.Automation.Host;

namespace System.Management.Automation
{
    /// <summary>Collects what a cmdlet writes, so that tests under mono can read it. Binding and stopping are the engine's.</summary>
    public abstract class Cmdlet
    {
        public static readonly List<object> Written = new List<object>();
        public static readonly List<ErrorRecord> Errors = new List<ErrorRecord>();
        public static readonly List<string> Lines = new List<string>();
        public static readonly List<ProgressRecord> ProgressSeen = new List<ProgressRecord>();

        public bool Stopping
        {
            get { return false; }
        }

        protected virtual void BeginProcessing()
        {
        }

        protected virtual void ProcessRecord()
        {
        }

        protected virtual void EndProcessing()
        {
        }

        protected virtual void StopProcessing()
        {
        }

        public void WriteObject(object sendToPipeline)
        {
            Written.Add(sendToPipeline);
        }

        public void WriteObject(object sendToPipeline, bool enumerateCollection)
        {
            Written.Add(sendToPipeline);
        }

        public void WriteError(ErrorRecord errorRecord)
        {
            Errors.Add(errorRecord);
        }

        public void WriteWarning(string text)
        {
            Lines.Add("WARNING: " + text);
        }

        public void WriteVerbose(string text)
        {
            Lines.Add("VERBOSE: " + text);
        }

        public void WriteDebug(string text)
        {
            Lines.Add("DEBUG: " + text);
        }

        public void WriteProgress(ProgressRecord progressRecord)
        {
            ProgressSeen.Add(progressRecord);
        }

        public void ThrowTerminatingError(ErrorRecord errorRecord)
        {
            Errors.Add(errorRecord);
            throw new RuntimeException(errorRecord.Exception.Message, errorRecord.Exception);
        }

        public bool ShouldContinue(string query, string caption)
        {
            throw new NotSupportedException("Prompts exist in a real engine only.");
        }

        public bool ShouldProcess(
            string verboseDescription, string verboseWarning, string caption, out ShouldProcessReason shouldProcessReason)
        {
            throw new NotSupportedException("ShouldProcess exists in a real engine only.");
        }

        public bool ShouldProcess(string target, string action)
        {
            return true;
        }

        /// <summary>Runs the cmdlet as a pipeline of one would, its properties set by the test.</summary>
        public void Run()
        {
            BeginProcessing();
            ProcessRecord();
            EndProcessing();
        }
    }

    [Flags]
    public enum ShouldProcessReason
    {
        None = 0,
        WhatIf = 1,
    }

    public abstract class PSCmdlet : Cmdlet
    {
        public string ParameterSetName
        {
            get { return ParameterAttribute.AllParameterSets; }
        }

        public InvocationInfo MyInvocation
        {
            get { return new InvocationInfo(); }
        }

        public PSHost Host
        {
            get { return null; }
        }

        public CommandInvocationIntrinsics InvokeCommand
        {
            get { return new CommandInvocationIntrinsics(); }
        }

        public string GetUnresolvedProviderPathFromPSPath(string path)
        {
            return System.IO.Path.GetFullPath(path);
        }

        public object GetVariableValue(string name)
        {
            return null;
        }
    }

    public class InvocationInfo
    {
        public Dictionary<string, object> BoundParameters
        {
            get { return new Dictionary<string, object>(); }
        }

        public bool ExpectingInput
        {
            get { return false; }
        }
    }

    public enum ProgressRecordType
    {
        Processing,
        Completed,
    }

    public class ProgressRecord
    {
        public ProgressRecord(int activityId, string activity, string statusDescription)
        {
            ActivityId = activityId;
            Activity = activity;
            StatusDescription = statusDescription;
        }

        public int ActivityId { get; private set; }

        public int ParentActivityId { get; set; }

        public string Activity { get; set; }

        public string StatusDescription { get; set; }

        public string CurrentOperation { get; set; }

        public int PercentComplete { get; set; }

        public int SecondsRemaining { get; set; }

        public ProgressRecordType RecordType { get; set; }
    }

    public struct SwitchParameter
    {
        private readonly bool isPresent;

        public SwitchParameter(bool isPresent)
        {
            this.isPresent = isPresent;
        }

        public bool IsPresent
        {
            get { return isPresent; }
        }

        public bool ToBool()
        {
            return isPresent;
        }

        public static implicit operator bool(SwitchParameter switchParameter)
        {
            return switchParameter.isPresent;
        }

        public static implicit operator SwitchParameter(bool value)
        {
            return new SwitchParameter(value);
        }
    }

    public sealed class PSCredential
    {
        public PSCredential(string userName, System.Security.SecureString password)
        {
            UserName = userName;
            Password = password;
        }

        public static PSCredential Empty
        {
            get { return null; }
        }

        public string UserName { get; private set; }

        public System.Security.SecureString Password { get; private set; }
    }
}
